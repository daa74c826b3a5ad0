import type { MqttMessageQueue, QueueEvents } from "../../mod.ts";

/** The next event of a queue that fits. */
export function queueEvent<Type extends keyof QueueEvents>(
  queue: MqttMessageQueue,
  type: Type,
  fits: (detail: QueueEvents[Type]) => boolean = () => true,
): Promise<QueueEvents[Type]> {
  return new Promise((resolve) => {
    const listen = (event: CustomEvent<QueueEvents[Type]>) => {
      if (!fits(event.detail)) return;
      queue.removeEventListener(type, listen as EventListener);
      resolve(event.detail);
    };
    queue.addEventListener(type, listen);
  });
}
