import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** A network between clients and a server, which a test can cut. */
export class Network {
  #listener;
  #sockets = new Set();
  #isCut = false;

  static async to(url, test) {
    const network = new Network();
    const { port } = new URL(url);
    network.#listener = createServer((inner) => {
      if (network.#isCut) return inner.destroy();
      const outer = connect(port, '127.0.0.1');
      for (const [from, to] of [
        [inner, outer],
        [outer, inner],
      ]) {
        network.#sockets.add(from);
        from.pipe(to);
        from.on('error', () => {});
        from.on('close', () => {
          network.#sockets.delete(from);
          to.destroy();
        });
      }
    });
    network.#listener.listen(0, '127.0.0.1');
    await once(network.#listener, 'listening');
    network.url = `http://127.0.0.1:${network.#listener.address().port}`;
    test.after(() => {
      network.cut();
      network.#listener.close();
    });
    return network;
  }

  cut() {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  restore() {
    this.#isCut = false;
  }
}
