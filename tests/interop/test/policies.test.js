import assert from 'node:assert/strict';

import { ask } from '../lib/clients.js';
import { forEveryClient } from '../lib/matrix.js';
import { coded } from '../lib/sessions.js';
import { userToken } from '../lib/tokens.js';
import { next } from '../lib/wait.js';

/** Ada and Joan are administrators, Grace is not. Joan is the owner. */
const ADA = '1';
const GRACE = '2';
const JOAN = '3';

const EVENTS = {
  'close shop': { policy: 'Admins', allowed: [ADA, JOAN], forbidden: [GRACE] },
  'sell shop': { policy: 'All<(Admins, Owners)>', allowed: [JOAN], forbidden: [ADA, GRACE] },
  'hang picture': { policy: 'AnyOf<(Owners, Admins)>', allowed: [ADA, JOAN], forbidden: [GRACE] },
  'enter shop': { policy: 'Not<Owners>', allowed: [ADA, GRACE], forbidden: [JOAN] },
};

forEveryClient((suite) => {
  const connectAs = async (test, sub) => test.connect({ at: 'guests', ...suite.carry(await userToken(sub)) });
  const picture = Buffer.from([0, 255]);

  for (const [event, { policy, allowed, forbidden }] of Object.entries(EVENTS)) {
    suite.test(`${policy} allows its users`, async (test) => {
      for (const sub of allowed) {
        const answer = await ask(await connectAs(test, sub), event, picture);
        assert.ok(!('error' in Object(answer)), JSON.stringify(answer));
      }
    });

    suite.test(`${policy} forbids an event in its acknowledgement`, async (test) => {
      for (const sub of forbidden) {
        const socket = await connectAs(test, sub);
        assert.deepEqual(await ask(socket, event, picture), { error: coded('forbidden') });
      }
    });

    suite.test(`${policy} forbids an event by unauthorized`, async (test) => {
      for (const sub of forbidden) {
        const socket = await connectAs(test, sub);
        const unauthorized = next(socket, 'unauthorized');
        socket.emit(event, picture);
        assert.deepEqual(await unauthorized, { ...coded('forbidden'), event });
        assert.ok(socket.connected);
      }
    });

    suite.test(`${policy} tells a guest login_required`, async (test) => {
      const socket = await test.connect({ at: 'guests' });
      assert.deepEqual(await ask(socket, event, picture), { error: coded('login_required') });
    });
  }
});
