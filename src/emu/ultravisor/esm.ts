/**
 * UV_ESM: from an ordinary guest's device tree to the entry of a secure one, in the released firmware's order
 * (open-power/ultravisor core/uvcall.c uv_esm_svm, svm/svm-fdt.c, svm/svm-esm.c; ultravisor 7).
 */
import { sha512 } from '../core/crypto.ts';
import { findChild, findProperty, readFlattenedTree, type TreeNode } from '../core/flattened-tree.ts';
import { FRAME_BYTES, REAL_MODE_TOP_MAX, TREE_BYTES_MAX } from './abi.ts';
import { findBlob, openBlob, sameBytes, type Digests, type LockboxPolicy } from './lockbox.ts';
import type { ShareKind } from './page-state.ts';
import { BOUNCED_CALLS, RTAS_PAGES, VCPUS_MAX, type RtasTokens } from './rtas-bounce.ts';

/** What entering secure mode asks of the ultravisor around it. */
export interface EsmHost {
  readonly lockbox: LockboxPolicy;
  readonly checksTree: boolean;
  /** H_SVM_INIT_START, H_SVM_INIT_DONE: the hypervisor's status. */
  initStart(): number;
  initDone(): number;
  /** Brings frames of the guest into secure memory, each once; false where the hypervisor fails. */
  pageIn(gpa: number, length: number): boolean;
  /** Secure memory, where it has been brought in. */
  secureRead(gpa: number, length: number): Uint8Array;
  secureWrite(gpa: number, bytes: Uint8Array): void;
  share(gpa: number, frames: number, kind: ShareKind): boolean;
  /** All frames of all slots. */
  pageInEverything(): boolean;
  /** The guest is secure from now on, its boot CPU being that one. */
  commit(bootCpu: number): void;
  adopt(rtasPages: number, tokens: RtasTokens): void;
}

/** `committed`: whether it went wrong after the guest was secure. */
export type EsmOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: string; readonly committed: boolean };

class EsmFailure extends Error {}

function need<T>(value: T | undefined | false, reason: string): T {
  if (value === undefined || value === false) throw new EsmFailure(reason);
  return value;
}

/** The device tree while the guest is being taken over. */
interface Tree {
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly root: TreeNode;
}

interface Range {
  readonly from: number;
  readonly bytes: number;
}

export function enterSecureMode(host: EsmHost, kernelBase: number, treeAt: number): EsmOutcome {
  let committed = false;
  try {
    const status = host.initStart();
    if (status !== 0) throw new EsmFailure(`H_SVM_INIT_START returned ${status}`);
    const tree = readTree(host, treeAt);
    const reserved = reserveRtasPages(host, tree, kernelBase);
    checkGuest(host, tree, kernelBase);
    const done = host.initDone();
    if (done !== 0) throw new EsmFailure(`H_SVM_INIT_DONE returned ${done}`);
    host.commit(bootCpu(tree));
    committed = true;
    finish(host, tree, reserved);
    return { ok: true };
  } catch (error) {
    if (!(error instanceof EsmFailure)) throw error;
    return { ok: false, reason: error.message, committed };
  }
}

// --- The device tree ------------------------------------------------------------------------------------------------

function readTree(host: EsmHost, at: number): Tree {
  need(host.pageIn(at, FRAME_BYTES), 'the first page of the device tree could not be brought in');
  const head = host.secureRead(at, 40);
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  if (view.getUint32(0) !== 0xd00dfeed) throw new EsmFailure('there is no device tree');
  const total = view.getUint32(4);
  if (total > TREE_BYTES_MAX) throw new EsmFailure('the device tree is longer than 1 MiB');
  need(host.pageIn(at, total), 'the device tree could not be brought in');
  const bytes = host.secureRead(at, total).slice();
  const read = readFlattenedTree(bytes);
  if (!read.ok) throw new EsmFailure(`the device tree cannot be read: ${read.reason}`);
  return { at, bytes, root: read.root };
}

function node(tree: Tree, name: string): TreeNode {
  return need(findChild(tree.root, name), `the device tree has no /${name}`);
}

/** A property of one or two cells. */
function cells(of: TreeNode, name: string): number {
  const value = need(findProperty(of, name), `/${of.name} has no ${name}`);
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  if (value.length === 4) return view.getUint32(0);
  if (value.length === 8) return Number(view.getBigUint64(0));
  throw new EsmFailure(`${name} of /${of.name} is neither one cell nor two`);
}

/** The boot CPU by its hardware number, which must be one that the guest can have. */
function bootCpu(tree: Tree): number {
  const rtas = node(tree, 'rtas');
  const lrdr = need(findProperty(rtas, 'ibm,lrdr-capacity'), '/rtas has no ibm,lrdr-capacity');
  if (lrdr.length < 20) throw new EsmFailure('ibm,lrdr-capacity is too short');
  const most = Math.max(new DataView(lrdr.buffer, lrdr.byteOffset).getUint32(16), highestCpu(tree) + 1);
  if (most > VCPUS_MAX) throw new EsmFailure('the guest may have more than 4096 CPUs');
  const boot = new DataView(tree.bytes.buffer, tree.bytes.byteOffset).getUint32(28);
  if (boot >= most) throw new EsmFailure('the boot CPU is none of the guest’s');
  return boot;
}

function highestCpu(tree: Tree): number {
  let highest = 0;
  for (const cpu of node(tree, 'cpus').children) {
    const numbers = findProperty(cpu, 'ibm,ppc-interrupt-server#s');
    if (numbers === undefined) continue;
    const view = new DataView(numbers.buffer, numbers.byteOffset, numbers.length);
    for (let at = 0; at + 4 <= numbers.length; at += 4) highest = Math.max(highest, view.getUint32(at));
  }
  return highest;
}

function memoryTop(tree: Tree): number {
  const reg = need(findProperty(node(tree, 'memory@0'), 'reg'), '/memory@0 has no reg');
  if (reg.length < 16) throw new EsmFailure('reg of /memory@0 is too short');
  const view = new DataView(reg.buffer, reg.byteOffset, reg.length);
  if (view.getBigUint64(0) !== 0n) throw new EsmFailure('memory does not begin at 0');
  return Math.min(REAL_MODE_TOP_MAX, Number(view.getBigUint64(8)));
}

function range(of: TreeNode, start: string, end: string): Range {
  const from = cells(of, start);
  const to = cells(of, end);
  if (to < from) throw new EsmFailure(`${end} lies before ${start}`);
  return { from, bytes: to - from };
}

// --- RTAS -----------------------------------------------------------------------------------------------------------

/** Six pages as high as possible, shared with the hypervisor behind the guest's back. */
function reserveRtasPages(host: EsmHost, tree: Tree, kernelBase: number): Range {
  const rtas = node(tree, 'rtas');
  const tokens = new Map<number, (typeof BOUNCED_CALLS)[number]>();
  for (const call of BOUNCED_CALLS) {
    const property = findProperty(rtas, call.name);
    if (property === undefined && !call.required) continue;
    const token = cells(rtas, call.name);
    if (host.checksTree && (tokens.has(token) || token < 0x2000 || token > 0x2fff))
      throw new EsmFailure(`the token of ${call.name} cannot be right`);
    tokens.set(token, call);
  }
  const stopSelf = cells(rtas, 'stop-self');
  const from = freePages(tree, kernelBase);
  need(host.share(from, RTAS_PAGES, 'implicit'), 'the pages for RTAS calls could not be shared');
  host.adopt(from, { calls: tokens, stopSelf });
  return { from, bytes: RTAS_PAGES * FRAME_BYTES };
}

function freePages(tree: Tree, kernelBase: number): number {
  const bytes = RTAS_PAGES * FRAME_BYTES;
  const taken = takenRanges(tree, kernelBase);
  for (let from = memoryTop(tree) - bytes; from > 0; from -= FRAME_BYTES) {
    const at = from - (from % FRAME_BYTES);
    if (!taken.some((one) => at < one.from + one.bytes && at + bytes > one.from)) return at;
  }
  throw new EsmFailure('there is no room for the pages of RTAS calls');
}

/** What must not be given away: reservations, the tree, RTAS, initrd, and the kernel as far as anybody knows by now. */
function takenRanges(tree: Tree, kernelBase: number): Range[] {
  const rtas = node(tree, 'rtas');
  const chosen = node(tree, 'chosen');
  return [
    ...reservations(tree.bytes),
    { from: tree.at, bytes: tree.bytes.length },
    { from: cells(rtas, 'linux,rtas-base'), bytes: cells(rtas, 'rtas-size') },
    range(chosen, 'linux,initrd-start', 'linux,initrd-end'),
    { from: kernelBase, bytes: FRAME_BYTES },
  ];
}

function reservations(bytes: Uint8Array): Range[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: Range[] = [];
  for (let at = view.getUint32(16); at + 16 <= bytes.length; at += 16) {
    const one = { from: Number(view.getBigUint64(at)), bytes: Number(view.getBigUint64(at + 8)) };
    if (one.bytes === 0) break;
    found.push(one);
  }
  return found;
}

// --- What the guest is ----------------------------------------------------------------------------------------------

function checkGuest(host: EsmHost, tree: Tree, kernelBase: number): void {
  const rtas = node(tree, 'rtas');
  const base = cells(rtas, 'linux,rtas-base');
  const size = cells(rtas, 'rtas-size');
  const textBytes = cells(rtas, 'slof,rtas-size');
  const frames = Math.ceil(size / FRAME_BYTES);
  need(host.pageIn(base, frames * FRAME_BYTES), 'the RTAS area could not be brought in');
  need(host.share(base, frames, 'pseudo'), 'the RTAS area could not be shared');
  const chosen = node(tree, 'chosen');
  const initrd = range(chosen, 'linux,initrd-start', 'linux,initrd-end');
  need(host.pageIn(initrd.from, initrd.bytes), 'the initrd could not be brought in');
  const bootargs = need(findProperty(chosen, 'bootargs'), '/chosen has no bootargs');
  const blob = blobOf(host, chosen, initrd);
  if (host.lockbox === 'trust' && blob === undefined) {
    need(host.pageInEverything(), 'the guest’s memory could not be brought in');
    return;
  }
  const found = need(blob, 'there is no ESM blob');
  const openedBlob = openBlob(found.bytes, host.lockbox);
  if (!openedBlob.ok) throw new EsmFailure(openedBlob.reason);
  const { digests } = openedBlob;
  const kernel = { from: kernelBase, bytes: digests.kernelBytes };
  const parts: readonly [string, Range, Uint8Array][] = [
    ['RTAS', { from: base, bytes: textBytes }, digests.rtas],
    ['the kernel', kernel, digests.kernel],
    ['the initrd', found.initrd, digests.initrd],
  ];
  for (const [name, part, digest] of parts) {
    need(host.pageIn(part.from, part.bytes), `${name} could not be brought in`);
    check(host, name, host.secureRead(part.from, part.bytes), digest);
  }
  check(host, 'the boot arguments', withoutNul(bootargs), digests.bootargs);
}

function check(host: EsmHost, name: string, bytes: Uint8Array, digest: Digests['rtas']): void {
  if (host.lockbox !== 'trust' && !sameBytes(sha512(bytes), digest))
    throw new EsmFailure(`the digest of ${name} is another one than the guest’s owner gave`);
}

function withoutNul(text: Uint8Array): Uint8Array {
  return text.at(-1) === 0 ? text.subarray(0, -1) : text;
}

interface FoundBlob {
  readonly bytes: Uint8Array;
  readonly initrd: Range;
}

/** Where the boot wrapper says, or else in the first archive of the initrd. */
function blobOf(host: EsmHost, chosen: TreeNode, initrd: Range): FoundBlob | undefined {
  if (findProperty(chosen, 'linux,esm-blob-start') !== undefined) {
    const blob = range(chosen, 'linux,esm-blob-start', 'linux,esm-blob-end');
    need(host.pageIn(blob.from, blob.bytes), 'the ESM blob could not be brought in');
    return { bytes: host.secureRead(blob.from, blob.bytes).slice(), initrd };
  }
  const bytes = host.secureRead(initrd.from, initrd.bytes);
  const found = findBlob(bytes);
  if (found === undefined) return undefined;
  const left = Math.max(0, initrd.bytes - found.initrdAt);
  return {
    bytes: bytes.slice(found.blobAt),
    initrd: { from: initrd.from + found.initrdAt, bytes: left },
  };
}

// --- The end ----------------------------------------------------------------------------------------------------------

const RESERVATION_BYTES = 16;

/** Gives the tree back with one more reservation: the pages that the guest must leave alone. */
function finish(host: EsmHost, tree: Tree, reserved: Range): void {
  const packed = withReservation(tree.bytes, reserved);
  need(host.pageIn(tree.at, packed.length), 'there is no room for the device tree');
  host.secureWrite(tree.at, packed);
}

function withReservation(bytes: Uint8Array, { from, bytes: length }: Range): Uint8Array {
  const grown = new Uint8Array(bytes.length + RESERVATION_BYTES);
  const old = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const view = new DataView(grown.buffer);
  const at = old.getUint32(16);
  grown.set(bytes.subarray(0, at));
  view.setBigUint64(at, BigInt(from));
  view.setBigUint64(at + 8, BigInt(length));
  grown.set(bytes.subarray(at), at + RESERVATION_BYTES);
  view.setUint32(4, grown.length);
  for (const field of [8, 12]) {
    if (old.getUint32(field) >= at) view.setUint32(field, old.getUint32(field) + RESERVATION_BYTES);
  }
  return grown;
}
