/**
 * The ESM blob: a device tree with lockboxes that hold the key of the guest's digests, one for each machine it may run
 * on (open-power/ultravisor svm/svm-esm.c, svm-esmb.c). The machine's TPM opens a lockbox; here a policy stands for it.
 */
import { AES_GCM } from '../core/crypto.ts';
import { findChild, findProperty, readFlattenedTree, type TreeNode } from '../core/flattened-tree.ts';

/**
 * `open`: the lockbox holds the key as it is, so digests are checked; `trust`: nothing is checked, as development builds
 * do (ESM_BLOB_CHK_WARN_ONLY); `closed`: the TPM does not open it.
 */
export type LockboxPolicy = 'open' | 'trust' | 'closed';

/** What the guest's owner says of it. */
export interface Digests {
  readonly rtas: Uint8Array;
  readonly kernel: Uint8Array;
  readonly initrd: Uint8Array;
  readonly bootargs: Uint8Array;
  readonly kernelBytes: number;
}

export type OpenedBlob =
  | { readonly ok: true; readonly digests: Digests }
  | { readonly ok: false; readonly reason: string };

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function below(root: TreeNode, ...path: readonly string[]): TreeNode | undefined {
  let node: TreeNode | undefined = root;
  for (const name of path) node = node === undefined ? undefined : findChild(node, name);
  return node;
}

/** Opens lockbox-1 and reads the digests behind it. */
export function openBlob(blob: Uint8Array, policy: LockboxPolicy): OpenedBlob {
  const tree = readFlattenedTree(blob);
  if (!tree.ok) return refused(`the ESM blob is no device tree: ${tree.reason}`);
  const lockbox = below(tree.root, 'lockboxes', 'lockbox-1');
  const key = lockbox && findProperty(lockbox, 'encrypted-symkey');
  if (key === undefined) return refused('the ESM blob has no lockbox');
  if (policy === 'closed') return refused('no lockbox of the ESM blob opens on this machine');
  const digest = below(tree.root, 'digest');
  const sealed = digest && findProperty(digest, 'digests-fdt');
  const iv = digest && findProperty(digest, 'iv');
  const tag = digest && findProperty(digest, 'tag');
  if (sealed === undefined || iv === undefined || tag === undefined)
    return refused('the ESM blob has no digests');
  const plain = opened(key, iv, sealed, tag);
  if (plain === undefined) return refused('the key of the lockbox does not open the digests');
  return readDigests(plain);
}

function refused(reason: string): OpenedBlob {
  return { ok: false, reason };
}

function opened(
  key: Uint8Array,
  iv: Uint8Array,
  sealed: Uint8Array,
  tag: Uint8Array,
): Uint8Array | undefined {
  const whole = new Uint8Array(sealed.length + tag.length);
  whole.set(sealed);
  whole.set(tag, sealed.length);
  return AES_GCM.open(key, iv, whole);
}

function readDigests(plain: Uint8Array): OpenedBlob {
  const tree = readFlattenedTree(plain);
  const digests = tree.ok ? below(tree.root, 'digests') : undefined;
  if (digests === undefined) return refused('the digests are no device tree');
  const of = (name: string): Uint8Array => findProperty(digests, name) ?? new Uint8Array(0);
  const size = of('kernel-size');
  if (size.length !== 4 && size.length !== 8) return refused('the digests do not say how long the kernel is');
  const view = new DataView(size.buffer, size.byteOffset, size.length);
  const kernelBytes = size.length === 4 ? view.getUint32(0) : Number(view.getBigUint64(0));
  return {
    ok: true,
    digests: {
      rtas: of('rtas'),
      kernel: of('kernel'),
      initrd: of('initrd'),
      bootargs: of('bootargs'),
      kernelBytes,
    },
  };
}

const TRAILER = 'TRAILER!!!\0';
const HEADER_BYTES = 110;
const BLOB_FOLDER = 'opt/ibm/pef';
const TREE_MAGIC = 0xd00dfeed;

/** Where the blob stands in the archive at the front of an initrd, and where the initrd proper begins. */
export interface BlobInArchive {
  readonly blobAt: number;
  readonly initrdAt: number;
}

/** Looks through the first cpio archive (newc); undefined unless its first file is a blob and it ends. */
export function findBlob(initrd: Uint8Array): BlobInArchive | undefined {
  let blobAt = -1;
  for (let header = 0; header + HEADER_BYTES <= initrd.length;) {
    if (text(initrd, header, 6) !== '070701') return undefined;
    const nameBytes = hex(initrd, header + 94);
    const fileBytes = hex(initrd, header + 54);
    const name = text(initrd, header + HEADER_BYTES, nameBytes);
    const file = (header + HEADER_BYTES + nameBytes + 3) & ~3;
    const next = (file + fileBytes + 3) & ~3;
    if (name === TRAILER) return blobAt < 0 ? undefined : { blobAt, initrdAt: (next + 511) & ~511 };
    if (fileBytes > 0 && blobAt < 0) {
      if (!name.startsWith(BLOB_FOLDER)) return undefined;
      blobAt = scan(initrd, file, file + fileBytes);
      if (blobAt < 0) return undefined;
    }
    if (next <= header) return undefined;
    header = next;
  }
  return undefined;
}

function scan(bytes: Uint8Array, from: number, to: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = from; at + 4 <= Math.min(to, bytes.length); at += 4)
    if (view.getUint32(at) === TREE_MAGIC) return at;
  return -1;
}

function text(bytes: Uint8Array, at: number, length: number): string {
  let result = '';
  for (let i = at; i < Math.min(at + length, bytes.length); i++) result += String.fromCharCode(bytes[i] ?? 0);
  return result;
}

/** Eight hexadecimal digits; 0 for anything else, as strtoul has it. */
function hex(bytes: Uint8Array, at: number): number {
  const digits = /^[0-9a-f]*/i.exec(text(bytes, at, 8))?.[0] ?? '';
  return digits === '' ? 0 : parseInt(digits, 16);
}
