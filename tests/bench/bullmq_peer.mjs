// SPDX-License-Identifier: GPL-3.0-or-later
// Tasks through BullMQ: put in, taken by a worker of so many at once, which calls the provider.
// Usage: node bullmq_peer.mjs SOCKET PROVIDER TASKS SLOTS; prints tasks per second.
import { createRequire } from 'node:module';
import http from 'node:http';

const { Queue, Worker } = createRequire(process.cwd() + '/')('bullmq');
const [socket, provider, tasks, slots] = process.argv.slice(2);
const connection = { path: socket, maxRetriesPerRequest: null };
const target = new URL(provider + '/v1/chat/completions');
const agent = new http.Agent({ keepAlive: true, maxSockets: Number(slots) });

const call = (content) =>
  new Promise((resolve, reject) => {
    const body = JSON.stringify({ model: 'instant', messages: [{ role: 'user', content }] });
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    const request = http.request(target, { method: 'POST', agent, headers }, (reply) => {
      let text = '';
      reply.on('data', (part) => (text += part));
      reply.on('end', () => resolve(JSON.parse(text).choices[0].message.content));
    });
    request.on('error', reject);
    request.end(body);
  });

const queue = new Queue('tasks', { connection });
const worker = new Worker('tasks', (job) => call(job.data.content), {
  connection, concurrency: Number(slots), autorun: false,
});
await queue.waitUntilReady();
await worker.waitUntilReady();
let done = 0;
const all = new Promise((resolve) =>
  worker.on('completed', () => ++done === Number(tasks) && resolve()));
const began = performance.now();
worker.run();
for (let from = 0; from < Number(tasks); from += 1000) {
  const count = Math.min(1000, Number(tasks) - from);
  await queue.addBulk(Array.from({ length: count }, (_, i) =>
    ({ name: 'task', data: { content: `task ${from + i}` } })));
}
await all;
console.log(Number(tasks) / ((performance.now() - began) / 1000));
await worker.close();
await queue.close();
agent.destroy();
