/** The text that `--help` of the shell shows. */
export const CLI_USAGE = `Usage: deno task send [options] [message]
       deno task receive|peek|count|listen [options]
       deno task dead [options] [browse]
       deno task dead [options] redrive|purge ID|--all

  send      sends the words given, the whole of a file, or standard input: one message a line
  receive   takes messages out of the queue; one is gone when its line has been written
  peek      shows messages and leaves them in the queue
  count     tells how many messages are in the queue
  listen    as receive, with every message as it comes, until Ctrl-C
  dead      shows the messages that were given up, sends them on their way again, or removes them

  --broker URL          mqtt, mqtts, ws or wss  (mqtt://localhost:1883)   MQTT_URL
  --username NAME       for the broker                                    MQTT_USERNAME
  --password WORD       for the broker; better through the environment    MQTT_PASSWORD
  --topic TOPIC         the queue's topic       (mytopic)                 MQTT_TOPIC
  --qos 0|1|2           quality of service      (1)                       MQTT_QOS
  --client-id ID        the session to use; for send and dead only a name of the link
  --server URL          instead of a broker: the queue of a running server, such as http://127.0.0.1:8080
  --token WORD          for a server that asks for one                    MQTT_QUEUE_TOKEN
  --count N             at most so many: receive (1), peek (10), dead browse (100), listen (no end)
  --timeout MS          how long to wait for messages: receive (10000), listen (no end)
  --type NAME           send: the message type
  --correlation-id ID   send: the correlation id
  --file PATH           send: the file that is the body
  --all                 dead redrive, dead purge: every dead letter
  --json                JSON Lines; always so where the output is no terminal
  --help                this text

receive, peek, count and listen use a durable session of the shell's own, one for each user, machine and
topic: the broker keeps messages for it while no shell runs. The first of these commands makes the session,
so it sees only what is sent afterwards (and retained messages). Run one of them once before you rely on it.
One process at a time can have a session: two that listen side by side need a --client-id each, or --server.

With --server the queue, its session and its topic are the server's; --topic chooses another one there.

Exit code: 0 done, 1 failed, 2 wrong usage, 3 nothing there, 130 interrupted. Ctrl-C is how listen is done.
`;
