import { once } from 'node:events';
import { createServer } from 'node:http';

/** An HTTP server on loopback that can be stopped and started again under the same address. */
export class Listener {
  #server;
  #port = 0;

  async start(handler) {
    this.#server = createServer((request, response) => {
      // `fetch` of node does not notice that a server was restarted, and would use its old connection.
      if (request.headers['user-agent'] === 'node') response.setHeader('connection', 'close');
      handler(request, response);
    });
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = this.#server.address().port;
    return this.url;
  }

  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  async stop() {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
