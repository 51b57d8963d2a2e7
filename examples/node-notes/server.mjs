// Notes in memory: an actor keeps them for as long as it exists, asleep or awake, with no database.
import { createServer } from 'node:http';

const startedAt = new Date().toISOString();
const notes = [];

const server = createServer(async (request, response) => {
  if (request.url === '/healthz') return void response.end('ok');
  if (request.method === 'POST') {
    let text = '';
    for await (const chunk of request) text += chunk;
    notes.push(text);
  }
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ startedAt, notes }) + '\n');
});

server.listen(8080, '0.0.0.0');
