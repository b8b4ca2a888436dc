// An OpenID provider on a free port of loopback. It prints its port; each line of standard input, a JSON object with
// redirect and logout addresses, makes it start afresh with new keys.
import { createServer } from 'node:http';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

const people = {
  ada: { email: 'ada@example.org', email_verified: true, name: 'Ada L', preferred_username: 'Ada', groups: ['staff', 'web'] },
  root: { email: 'root@example.org', email_verified: true, name: 'Root', groups: ['admins'] },
  eve: { email: 'boss@example.org', email_verified: false, name: 'Eve' },
  boss: { email: 'Boss@Example.org', email_verified: true, name: 'The boss' },
};

const key = () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' };
};

const server = createServer();
let handler;
server.on('request', (request, response) => handler(request, response));
server.listen(0, '127.0.0.1', () => console.log(server.address().port));

createInterface({ input: process.stdin }).on('line', (line) => {
  const { redirect, logout } = JSON.parse(line);
  const provider = new Provider(`http://127.0.0.1:${server.address().port}`, {
    clients: [{ client_id: 'sysmanage', client_secret: 'not a secret & odd: %', redirect_uris: [redirect],
      post_logout_redirect_uris: [logout] }],
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'], groups: ['groups'] },
    scopes: ['openid', 'profile', 'email', 'groups'],
    pkce: { required: () => true },
    cookies: { keys: ['test'] },
    jwks: { keys: [key()] },
    findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id, ...people[id] }) }),
  });
  handler = provider.callback();
  console.log('ready');
}).on('close', () => process.exit(0));
