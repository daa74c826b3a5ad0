import assert from "node:assert/strict";

const compose = await Deno.readTextFile(new URL("../docker-compose.yml", import.meta.url));

Deno.test("docker-compose.yml publishes every port on the loopback address only", () => {
  const published = [...compose.matchAll(/^ +- "([^"]*:\d+)"$/gm)].map(([, port]) => port);
  assert.deepEqual(published, ["127.0.0.1:1883:1883", "127.0.0.1:8080:8080"]);
  assert.equal(compose.match(/^ +ports:/gm)?.length, published.length);
  assert.doesNotMatch(compose, /network_mode|expose:/);
});

Deno.test("docker-compose.yml runs the broker with the configuration that the tests use", () => {
  assert.match(compose, /- \.\/mosquitto\/mosquitto\.conf:\/mosquitto\/config\/mosquitto\.conf:ro/);
});

Deno.test("docker-compose.yml pins every image to a version", () => {
  const images = [...compose.matchAll(/^ +image: (\S+)$/gm)].map(([, image]) => image);
  assert.equal(images.length, 2);
  for (const image of images) assert.match(image, /:\d+\.\d+(\.\d+)?$/);
});

Deno.test("docker-compose.yml starts the server when the broker is healthy", () => {
  assert.match(compose, /depends_on:\s+mosquitto:\s+condition: service_healthy/);
  assert.match(compose, /healthcheck:\s+#[^\n]+\n\s+test: mosquitto_sub /);
});
