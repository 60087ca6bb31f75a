/** Ciphers and digests: the only door of @noble/ciphers and @noble/hashes, which are pure and synchronous. */
import { gcm } from '@noble/ciphers/aes.js';
import { sha512 as nobleSha512 } from '@noble/hashes/sha2.js';

/** Bytes of a tag behind what was sealed. */
export const TAG_BYTES = 16;
export const IV_BYTES = 12;

/** Encrypts, and authenticates with a tag of 16 bytes at the end. */
export interface SealingCipher {
  seal(key: Uint8Array, iv: Uint8Array, plain: Uint8Array): Uint8Array;
  /** The plain text; undefined if key, IV, text or tag is not the one it was sealed with, or no such thing at all. */
  open(key: Uint8Array, iv: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}

/** AES-GCM with a key of 16, 24 or 32 bytes and an IV of 12. */
export const AES_GCM: SealingCipher = {
  seal: (key, iv, plain) => gcm(key, iv).encrypt(plain),
  open: (key, iv, sealed) => {
    try {
      return gcm(key, iv).decrypt(sealed);
    } catch {
      // The library throws for wrong lengths and for a wrong tag alike.
      return undefined;
    }
  },
};

/** No secrecy and no integrity: what the cipher costs is the difference to this. */
export const UNENCRYPTED: SealingCipher = {
  seal: (_key, _iv, plain) => {
    const sealed = new Uint8Array(plain.length + TAG_BYTES);
    sealed.set(plain);
    return sealed;
  },
  open: (_key, _iv, sealed) => sealed.slice(0, -TAG_BYTES),
};

/** 64 bytes. */
export function sha512(bytes: Uint8Array): Uint8Array {
  return nobleSha512(bytes);
}
