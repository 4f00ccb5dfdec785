import { randomBytes } from 'node:crypto';

import { SignJWT } from 'jose';

const newSecret = () => randomBytes(48).toString('base64url');

export const secrets = { users: newSecret(), accounts: newSecret() };

/** Every token that was made, to be looked for where none may be. */
export const made = [];

async function sign(claims, { secret, algorithm = 'HS256', expires = '5m' }) {
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: algorithm })
    .setExpirationTime(expires)
    .sign(Buffer.from(secret));
  made.push(token);
  return token;
}

export const userToken = (sub, options) => sign({ sub }, { secret: secrets.users, ...options });

export const accountToken = (account, options) =>
  sign({ account }, { secret: secrets.accounts, ...options });

export const forgedToken = (sub) => userToken(sub, { secret: newSecret() });

export const expiredToken = (sub) => userToken(sub, { expires: '1 hour ago' });
