import { randomBytes, randomUUID } from 'node:crypto';

import { SignJWT } from 'jose';

const newSecret = () => randomBytes(48).toString('base64url');

export const secrets = { users: newSecret(), accounts: newSecret() };

/** Every token that was made: the tests assert that none of them is logged. */
export const made = [];

async function sign(claims, { secret, algorithm = 'HS256', expires = '5m', issued }) {
  const jwt = new SignJWT(claims).setProtectedHeader({ alg: algorithm }).setExpirationTime(expires);
  if (issued !== undefined) jwt.setIssuedAt(issued);
  const token = await jwt.sign(Buffer.from(secret));
  made.push(token);
  return token;
}

export const userToken = (sub, { claims, ...options } = {}) =>
  sign({ sub, ...claims }, { secret: secrets.users, ...options });

export const accountToken = (account, options) =>
  sign({ account }, { secret: secrets.accounts, ...options });

export const forgedToken = (sub) => userToken(sub, { secret: newSecret() });

export const expiredToken = (sub) => userToken(sub, { expires: '1 hour ago' });

/** A token that is valid for a number of seconds (with their fraction), and when it expires. */
export async function tokenLiving(seconds, sub, options) {
  const expiresAt = now() + seconds;
  return { token: await userToken(sub, { expires: expiresAt, ...options }), expiresAt };
}

/** Seconds since 1970, with their fraction. */
export const now = () => Date.now() / 1000;

/** A user name that no other test uses. */
export const newUser = () => `visitor ${randomUUID()}`;
