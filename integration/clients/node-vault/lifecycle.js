// Walks through the life of a Vault with node-vault, as an application would, and checks what its
// caller sees: values, and the client's own ApiResponseError. VAULT_ADDR names a server that nobody
// has initialised. Prints a line for each step that holds.
'use strict';

const assert = require('node:assert/strict');

const vault = require('node-vault')();

let keys = [];
let root = '';

const encoded = (text) => Buffer.from(text).toString('base64');

// The client's own error, of that status, with that text first among Vault's.
async function refused(promise, status, text) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.constructor.name, 'ApiResponseError', String(error));
    assert.equal(error.response.statusCode, status, error.message);
    assert.ok(error.message.includes(text), `want "${text}" in "${error.message}"`);
    return true;
  });
}

async function init() {
  assert.deepEqual(await vault.initialized(), { initialized: false });
  const made = await vault.init({ secret_shares: 5, secret_threshold: 3 });
  assert.equal(made.keys.length, 5);
  keys = made.keys;
  root = made.root_token;
  vault.token = root;
  await refused(
    vault.init({ secret_shares: 5, secret_threshold: 3 }), 400, 'Vault is already initialized');
}

async function sealed() {
  await refused(vault.read('sys/mounts'), 503, 'Vault is sealed');
  const health = await vault.health();
  assert.deepEqual([health.initialized, health.sealed], [true, true]);
}

async function unseal() {
  for (const [i, key] of keys.slice(0, 3).entries()) {
    const state = await vault.unseal({ key });
    assert.deepEqual([state.sealed, state.progress], [i < 2, (i + 1) % 3]);
  }
  const state = await vault.status();
  assert.deepEqual([state.sealed, state.t, state.n], [false, 3, 5]);
  assert.equal((await vault.leader()).ha_enabled, false);
}

async function mount() {
  await vault.mount({ mount_point: 'transit', type: 'transit', description: 'for signing' });
  await refused(
    vault.mount({ mount_point: 'transit', type: 'transit' }),
    400, 'path is already in use at transit/');
  await refused(
    vault.mount({ mount_point: 'odd', type: 'nonsense' }),
    400, 'plugin not found in the catalog: nonsense');
  const mounts = await vault.mounts();
  assert.equal(mounts.data['transit/'].description, 'for signing');
}

async function makeKeys() {
  await vault.transitCreateKey({ name: 'signing', type: 'ecdsa-p256' });
  await vault.transitCreateKey({ name: 'boxes' });
  assert.deepEqual((await vault.transitListKeys()).data.keys, ['boxes', 'signing']);
  assert.equal((await vault.transitReadKey({ name: 'signing' })).data.type, 'ecdsa-p256');
  await refused(
    vault.transitCreateKey({ name: 'odd', type: 'nonsense' }), 400, 'unknown key type nonsense');
  await refused(vault.transitReadKey({ name: 'nobody' }), 404, 'Status 404');
}

async function sign() {
  const { signature } = (
    await vault.write('transit/sign/signing', { input: encoded('a manifest') })).data;
  assert.match(signature, /^vault:v1:/);
  for (const [text, valid] of [['a manifest', true], ['another', false]]) {
    const verified = await vault.write(
      'transit/verify/signing', { input: encoded(text), signature });
    assert.equal(verified.data.valid, valid);
  }
  await refused(
    vault.write('transit/sign/signing', { input: '%%%' }),
    400, 'unable to decode input as base64');
  await refused(
    vault.write('transit/sign/nobody', { input: encoded('x') }), 400, 'signing key not found');
}

async function encrypt() {
  const first = (await vault.encryptData({ name: 'boxes', plaintext: encoded('secret') }))
    .data.ciphertext;
  assert.match(first, /^vault:v1:/);
  await vault.write('transit/keys/boxes/rotate', {});
  const again = (await vault.rewrapData({ name: 'boxes', ciphertext: first })).data.ciphertext;
  assert.match(again, /^vault:v2:/);
  for (const ciphertext of [first, again]) {
    const opened = await vault.decryptData({ name: 'boxes', ciphertext });
    assert.equal(opened.data.plaintext, encoded('secret'));
  }
  await refused(
    vault.decryptData({ name: 'boxes', ciphertext: 'nonsense' }),
    400, 'invalid ciphertext: no prefix');
}

async function batch() {
  const sealedItems = await vault.encryptData({
    name: 'boxes', batch_input: [{ plaintext: encoded('one') }, { plaintext: encoded('two') }],
  });
  const items = sealedItems.data.batch_results;
  const opened = await vault.decryptData({ name: 'boxes', batch_input: items });
  assert.deepEqual(
    opened.data.batch_results.map((item) => item.plaintext), [encoded('one'), encoded('two')]);
  const signed = await vault.write('transit/sign/signing', {
    batch_input: [{ input: encoded('one'), reference: 'a' }, { input: encoded('two') }],
  });
  assert.equal(signed.data.batch_results[0].reference, 'a');
  assert.match(signed.data.batch_results[1].signature, /^vault:v1:/);
  // An item that fails makes the status a 400; the others are in its body all the same.
  const mixed = { name: 'boxes', batch_input: [items[0], { ciphertext: 'nonsense' }] };
  await assert.rejects(vault.decryptData(mixed), (error) => {
    assert.equal(error.response.statusCode, 400);
    const results = error.response.body.data.batch_results;
    assert.equal(results[0].plaintext, encoded('one'));
    assert.match(results[1].error, /^invalid ciphertext/);
    return true;
  });
}

async function tokens() {
  const child = await vault.tokenCreate({ policies: ['default'], ttl: '1h', meta: { who: 'node' } });
  assert.deepEqual([child.auth.renewable, child.auth.lease_duration], [true, 3600]);
  assert.equal(vault.token, child.auth.client_token); // the client takes it over
  const self = await vault.tokenLookupSelf();
  assert.deepEqual([self.data.policies, self.data.meta.who], [['default'], 'node']);
  await refused(
    vault.write('transit/sign/signing', { input: encoded('x') }), 403, 'permission denied');
  await vault.tokenRenewSelf({ increment: '2h' });
  await vault.tokenRevokeSelf();
  await refused(vault.tokenLookupSelf(), 403, 'permission denied');
  vault.token = root;
  assert.equal((await vault.tokenAccessors()).data.keys.length, 1);
}

async function policies() {
  const rules = 'path "transit/sign/*" { capabilities = ["update"] }';
  await vault.addPolicy({ name: 'signer', rules });
  assert.deepEqual((await vault.policies()).data.policies, ['default', 'signer', 'root']);
  assert.equal((await vault.getPolicy({ name: 'signer' })).data.rules, rules);
  await vault.tokenCreate({ policies: ['signer'] });
  await vault.write('transit/sign/signing', { input: encoded('allowed') });
  await refused(vault.transitReadKey({ name: 'signing' }), 403, 'permission denied');
  vault.token = root;
  await vault.removePolicy({ name: 'signer' });
}

async function wrapping() {
  const wrapped = await vault.read(
    'transit/keys/signing', { headers: { 'X-Vault-Wrap-TTL': '1m' } });
  assert.equal(wrapped.wrap_info.ttl, 60);
  const { token } = wrapped.wrap_info;
  assert.equal((await vault.unwrap({ token })).data.type, 'ecdsa-p256');
  await refused(
    vault.unwrap({ token }), 400, 'wrapping token is not valid or does not exist');
}

async function keyValue() {
  await vault.mount({ mount_point: 'config', type: 'kv', options: { version: '2' } });
  for (const colour of ['red', 'blue']) await vault.write('config/data/app', { data: { colour } });
  const read = await vault.read('config/data/app');
  assert.deepEqual([read.data.data, read.data.metadata.version], [{ colour: 'blue' }, 2]);
  assert.deepEqual((await vault.list('config/metadata')).data.keys, ['app']);
  await vault.update('config/data/app', { data: { size: 'big' } });
  assert.deepEqual((await vault.read('config/data/app')).data.data, { colour: 'blue', size: 'big' });
  await refused(vault.read('config/data/nobody'), 404, 'Status 404');
  await refused(
    vault.write('config/data/app', { data: {}, options: { cas: 1 } }),
    400, 'check-and-set parameter did not match the current version');
  await vault.delete('config/data/app');
  await refused(vault.read('config/data/app'), 404, 'Status 404');
}

async function refusals() {
  vault.token = 's.nobody';
  await refused(vault.read('transit/keys/signing'), 403, 'permission denied');
  vault.token = root;
  await refused(vault.write('nowhere/at/all', { a: 'b' }), 404, 'no handler for route');
  await refused(
    vault.transitDeleteKey({ name: 'signing' }), 400, 'deletion is not allowed for this key');
  await vault.unmount({ mount_point: 'config' });
}

async function seal() {
  await vault.seal();
  await refused(vault.write('transit/sign/signing', { input: 'eA==' }), 503, 'Vault is sealed');
  assert.equal((await vault.unseal({ reset: true })).progress, 0);
}

const steps = {
  init, sealed, unseal, mount, keys: makeKeys, sign, encrypt, batch, tokens, policies, wrapping,
  kv: keyValue, refusals, seal,
};

async function main() {
  for (const [name, run] of Object.entries(steps)) {
    try {
      await run();
      console.log('ok', name);
    } catch (error) {
      console.log('failed', `${name}: ${error.stack}`);
      process.exitCode = 1;
      vault.token = root;
    }
  }
}

main();
