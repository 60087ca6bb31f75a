import { crc32 } from 'node:zlib';
import { encodeItem, whole, type Item } from './codec.ts';

const ARRAY = 0x80;

/**
 * An item of the file: an array of `elements` and, as the last one, the CRC-32 of everything in the file before it.
 * So one flipped byte anywhere is noticed, whatever it does to the meaning.
 */
export function sealItem(elements: readonly Item[], crcBefore: number): { bytes: Uint8Array; crc: number } {
  const parts = [Uint8Array.of(ARRAY | (elements.length + 1)), ...elements.map(encodeItem)];
  let crc = crcBefore;
  for (const part of parts) crc = crc32(part, crc);
  const seal = encodeItem(whole(crc));
  const bytes = Buffer.concat([...parts, seal]);
  return { bytes, crc: crc32(seal, crc) };
}

/** Whether the item's last element is the check sum of what comes before it; gives the sum to go on with. */
export function checkSeal(bytes: Uint8Array, seal: number, crcBefore: number): number | undefined {
  const sealBytes = encodeItem(whole(seal));
  const body = bytes.subarray(0, bytes.length - sealBytes.length);
  if (crc32(body, crcBefore) !== seal) return undefined;
  return crc32(bytes, crcBefore);
}
