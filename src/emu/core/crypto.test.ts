// Vectors: The Galois/Counter Mode of Operation (McGrew, Viega), appendix B, test cases 3 and 4 without additional data
// recomputed by node:crypto; FIPS 180-4 SHA-512 of "abc". Held against node:crypto, an implementation of its own.
import { createCipheriv, createHash } from 'node:crypto';
import test from 'ava';
import { AES_GCM, IV_BYTES, sha512, TAG_BYTES, UNENCRYPTED } from './crypto.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const KEY = hex('feffe9928665731c6d6a8f9467308308');
const IV = hex('cafebabefacedbaddecaf888');
const PLAIN = hex(
  'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255',
);

test('AES-128-GCM is the published one', (t) => {
  const sealed = Buffer.from(AES_GCM.seal(KEY, IV, PLAIN)).toString('hex');
  t.true(sealed.startsWith('42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e'));
  t.true(sealed.endsWith('4d5c2af327cd64a62cf35abd2ba6fab4'));
});

test('a whole page is sealed as OpenSSL seals it, and opens to what it was', (t) => {
  const page = Uint8Array.from({ length: 0x1_0000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
  const sealed = AES_GCM.seal(KEY, IV, page);
  const cipher = createCipheriv('aes-128-gcm', KEY, IV);
  const expected = Buffer.concat([cipher.update(page), cipher.final(), cipher.getAuthTag()]);
  t.true(expected.equals(sealed));
  t.is(IV.length, IV_BYTES);
  t.is(sealed.length, page.length + TAG_BYTES);
  t.deepEqual(AES_GCM.open(KEY, IV, sealed), page);
});

test('one bit anywhere, another IV or another key does not open', (t) => {
  const sealed = AES_GCM.seal(KEY, IV, PLAIN);
  for (let at = 0; at < sealed.length; at++) {
    const bent = sealed.slice();
    bent[at] = (bent[at] ?? 0) ^ 0x10;
    t.is(AES_GCM.open(KEY, IV, bent), undefined, `byte ${at}`);
  }
  t.is(
    AES_GCM.open(
      KEY,
      IV.map((byte) => byte ^ 1),
      sealed,
    ),
    undefined,
  );
  t.is(
    AES_GCM.open(
      KEY.map((byte) => byte ^ 1),
      IV,
      sealed,
    ),
    undefined,
  );
  t.is(AES_GCM.open(KEY, IV, sealed.subarray(0, 8)), undefined, 'shorter than a tag');
  t.is(AES_GCM.open(KEY.subarray(1), IV, sealed), undefined, 'a key of no length that there is');
});

test('without a cipher nothing is hidden and nothing is noticed', (t) => {
  const sealed = UNENCRYPTED.seal(KEY, IV, PLAIN);
  t.deepEqual(sealed.subarray(0, PLAIN.length), PLAIN);
  t.is(sealed.length, PLAIN.length + TAG_BYTES);
  t.deepEqual(UNENCRYPTED.open(KEY, IV, sealed), PLAIN);
});

test('SHA-512 is the published one', (t) => {
  const digest = Buffer.from(sha512(new TextEncoder().encode('abc'))).toString('hex');
  t.true(digest.startsWith('ddaf35a193617abacc417349ae204131'));
  t.is(Buffer.from(sha512(PLAIN)).toString('hex'), createHash('sha512').update(PLAIN).digest('hex'));
});
