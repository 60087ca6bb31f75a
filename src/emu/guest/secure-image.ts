/**
 * What stands in a guest's memory when its kernel asks to become secure: kernel, RTAS, initrd with the owner's blob at
 * its front, and the device tree that names them (ultravisor 7). SLOF and the boot loader lay the first three; the owner
 * of a guest makes the blob.
 */
import { AES_GCM, IV_BYTES, sha512, TAG_BYTES } from '../core/crypto.ts';
import {
  cellBytes,
  findChild,
  flattenTree,
  NodeBuilder,
  readFlattenedTree,
  textBytes,
  type TreeNode,
} from '../core/flattened-tree.ts';
import type { GuestPlatform } from './platform.ts';

/** Where the parts lie; all of it above what a scripted driver uses. */
export const KERNEL_AT = 0x100_0000;
const RTAS_AT = 0x110_0000;
const INITRD_AT = 0x120_0000;
export const TREE_AT = 0x140_0000;
const KERNEL_BYTES = 0x1000;
const RTAS_BYTES = 0x1000;
const RTAS_TEXT_BYTES = 20;

/** How an image may be wrong; each is one way for UV_ESM to fail. */
export type ImageFault =
  | 'tampered-kernel'
  | 'tampered-initrd'
  | 'tampered-rtas'
  | 'other-bootargs'
  | 'no-blob'
  | 'no-initrd'
  | 'no-rtas-text'
  | 'no-tree'
  | 'another-key';

export interface ImageOptions {
  readonly fault?: ImageFault;
  /** The kernel's command line. */
  readonly bootargs?: string;
}

/** Lays everything where UV_ESM looks for it, by the guest's own stores. */
export function laySecureImage(platform: GuestPlatform, options: ImageOptions = {}): void {
  const { fault, bootargs = 'svm=on' } = options;
  const kernel = pattern(KERNEL_BYTES, 0x4b);
  const rtas = pattern(RTAS_TEXT_BYTES, 0x52);
  const rest = pattern(0x400, 0x49);
  const blob = ownersBlob({ kernel, rtas, initrd: rest, bootargs }, fault);
  const archive = fault === 'no-blob' ? new Uint8Array(0) : cpio('opt/ibm/pef/guest.esmb', blob);
  const initrd = new Uint8Array(archive.length + rest.length);
  initrd.set(archive);
  initrd.set(rest, archive.length);
  if (fault === 'tampered-kernel') kernel[77] = (kernel[77] ?? 0) ^ 1;
  if (fault === 'tampered-initrd') initrd[initrd.length - 1] = 0xff;
  if (fault === 'tampered-rtas') rtas[0] = (rtas[0] ?? 0) ^ 1;
  const tree = securedTree(platform.deviceTree, INITRD_AT, INITRD_AT + initrd.length, options);
  platform.storeBytes(KERNEL_AT, kernel, 0, kernel.length);
  platform.storeBytes(RTAS_AT, rtas, 0, rtas.length);
  platform.storeBytes(INITRD_AT, initrd, 0, initrd.length);
  if (fault !== 'no-tree') platform.storeBytes(TREE_AT, tree, 0, tree.length);
}

/** The machine's tree with what firmware and boot loader add. */
function securedTree(
  deviceTree: Uint8Array,
  from: number,
  to: number,
  { fault, bootargs = 'svm=on' }: ImageOptions,
): Uint8Array {
  const read = readFlattenedTree(deviceTree);
  if (!read.ok) throw new Error(`the machine hands over a tree that cannot be read: ${read.reason}`);
  const { root } = read;
  const rtas = child(root, 'rtas');
  const chosen = child(root, 'chosen');
  set(rtas, 'linux,rtas-base', cellBytes([RTAS_AT]));
  set(rtas, 'rtas-size', cellBytes([RTAS_BYTES]));
  if (fault !== 'no-rtas-text') set(rtas, 'slof,rtas-size', cellBytes([RTAS_TEXT_BYTES]));
  if (fault !== 'no-initrd') {
    set(chosen, 'linux,initrd-start', cellBytes([0, from]));
    set(chosen, 'linux,initrd-end', cellBytes([0, to]));
  }
  const words = fault === 'other-bootargs' ? `${bootargs} init=/bin/sh` : bootargs;
  set(chosen, 'bootargs', textBytes(`${words}\0`));
  return flattenTree(root);
}

function child(node: TreeNode, name: string): TreeNode {
  const found = findChild(node, name);
  if (found === undefined) throw new Error(`the machine's tree has no /${name}`);
  return found;
}

function set(node: TreeNode, name: string, value: Uint8Array): void {
  const at = node.properties.findIndex((property) => property.name === name);
  if (at >= 0) node.properties.splice(at, 1);
  node.properties.push({ name, value });
}

interface Parts {
  readonly kernel: Uint8Array;
  readonly rtas: Uint8Array;
  readonly initrd: Uint8Array;
  readonly bootargs: string;
}

/** A device tree with one lockbox and, sealed, the digests of all that the guest is made of. */
function ownersBlob(parts: Parts, fault: ImageFault | undefined): Uint8Array {
  const key = pattern(32, 0x6b);
  const iv = pattern(IV_BYTES, 0x69);
  const digests = new NodeBuilder('digests')
    .bytes('rtas', sha512(parts.rtas))
    .bytes('kernel', sha512(parts.kernel))
    .bytes('kernel-size', cellBytes([parts.kernel.length]))
    .bytes('initrd', sha512(parts.initrd))
    .bytes('bootargs', sha512(textBytes(parts.bootargs)));
  const inner = flattenTree({ name: '', properties: [], children: [digests.node] });
  const sealed = AES_GCM.seal(key, iv, inner);
  const lockbox = new NodeBuilder('lockbox-1').bytes(
    'encrypted-symkey',
    fault === 'another-key' ? pattern(32, 0x6c) : key,
  );
  const digest = new NodeBuilder('digest')
    .bytes('iv', iv)
    .bytes('tag', sealed.subarray(-TAG_BYTES))
    .bytes('digests-fdt', sealed.subarray(0, -TAG_BYTES));
  const lockboxes = { name: 'lockboxes', properties: [], children: [lockbox.node] };
  return flattenTree({ name: '', properties: [], children: [lockboxes, digest.node] });
}

/** An archive (newc) of one file and a trailer, padded to 512 bytes. */
function cpio(name: string, file: Uint8Array): Uint8Array {
  const parts = [entry(name, file), entry('TRAILER!!!', new Uint8Array(0))];
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  const archive = new Uint8Array((bytes + 511) & ~511);
  let at = 0;
  for (const part of parts) {
    archive.set(part, at);
    at += part.length;
  }
  return archive;
}

function entry(name: string, file: Uint8Array): Uint8Array {
  const zero = '00000000';
  const hex = (value: number): string => value.toString(16).toUpperCase().padStart(8, '0');
  const fields = [zero, hex(0o100644), zero, zero, hex(1), zero, hex(file.length)];
  const header = `070701${fields.join('')}${zero.repeat(4)}${hex(name.length + 1)}${zero}${name}\0`;
  const start = (header.length + 3) & ~3;
  const bytes = new Uint8Array((start + file.length + 3) & ~3);
  bytes.set(textBytes(header));
  bytes.set(file, start);
  return bytes;
}

/** Bytes that look like none of each other. */
function pattern(length: number, seed: number): Uint8Array {
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  });
}
