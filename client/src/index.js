// For socket.io-client 3 and 4.

import { keep } from './keeper.js';

export { actionFor } from './actions.js';

export function keepAuthenticated(socket, options) {
  const { auth } = socket;
  const others = () => (typeof auth === 'function' ? new Promise((resolve) => auth.call(socket, resolve)) : auth);

  return keep(socket, options, {
    sent: null,
    refusedEvent: 'connect_error',
    // An error of the connection has no `data`.
    refusal: (error) => 'data' in error && { code: error.message, ...error.data },
    connect: () => socket.connect(),
    install: (identify) => (socket.auth = (send) => identify(others, send)),
    remove: () => (socket.auth = auth),
  });
}
