// A real OpenID provider with two people in it. Arguments: a port, the folder that npm installed it into.
const [port, folder] = process.argv.slice(2);
const { default: Provider } = await import(`${folder}/node_modules/oidc-provider/lib/index.js`);

const people = {
  alice: { name: 'Alice Ämter', preferred_username: 'alice', email: 'alice@example.test', email_verified: true, groups: ['web', 'staff'] },
  bob: { name: 'Bob', email: 'alice@example.test', email_verified: false, groups: [] },
};
const flows = ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'];
const client = { redirect_uris: ['https://registry.example/login/oidc/corp', 'https://registry.example/auth/oidc/corp/callback'], grant_types: flows, response_types: ['code'] };
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    { ...client, client_id: 'basic', client_secret: 'se:cr%et/+' },
    { ...client, client_id: 'post', client_secret: 'secret', token_endpoint_auth_method: 'client_secret_post' },
    { ...client, client_id: 'public', token_endpoint_auth_method: 'none' },
    { ...client, client_id: 'curves', client_secret: 'secret', id_token_signed_response_alg: 'ES256' },
  ],
  pkce: { required: () => true },
  features: { deviceFlow: { enabled: true } },
  scopes: ['openid', 'groups'],
  claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'], groups: ['groups'] },
  findAccount: (_, id) => people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) },
  jwks: { keys: await keys() },
});
provider.listen(Number(port), '127.0.0.1');

async function keys() {
  const made = [
    [{ name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }, 'RS256'],
    [{ name: 'ECDSA', namedCurve: 'P-256' }, 'ES256'],
  ].map(async ([algorithm, alg]) => {
    const pair = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const { key_ops, ext, ...jwk } = await crypto.subtle.exportKey('jwk', pair.privateKey);
    return { ...jwk, kid: alg, alg, use: 'sig' };
  });
  return Promise.all(made);
}
