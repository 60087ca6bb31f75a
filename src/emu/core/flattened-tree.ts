/**
 * Flattened device trees, version 17 (Devicetree Specification 0.4, chapter 5): a writer for what the machine hands
 * over, and a reader that believes nothing it has not checked, for what a guest hands back (KVMPPC_H_UPDATE_DT).
 */
export interface TreeNode {
  /** With its unit address: `pci@800000020000000`; the root's is empty. */
  readonly name: string;
  readonly properties: TreeProperty[];
  readonly children: TreeNode[];
}

interface TreeProperty {
  readonly name: string;
  readonly value: Uint8Array;
}

const MAGIC = 0xd00dfeed;
const VERSION = 17;
const LAST_COMPATIBLE_VERSION = 16;
const HEADER_BYTES = 40;
const RESERVATION_BYTES = 16;

const FDT_BEGIN_NODE = 1;
const FDT_END_NODE = 2;
const FDT_PROP = 3;
const FDT_NOP = 4;
const FDT_END = 9;

/** Deeper trees are refused when read: real ones stay below ten. */
const DEPTH_MAX = 64;

/** Builds one node: properties in the order they stand in the blob. */
export class NodeBuilder {
  readonly node: TreeNode;

  constructor(name: string) {
    this.node = { name, properties: [], children: [] };
  }

  bytes(name: string, value: Uint8Array): this {
    this.node.properties.push({ name, value });
    return this;
  }

  /** Big-endian 32-bit cells. */
  cells(name: string, ...values: readonly number[]): this {
    return this.bytes(name, cellBytes(values));
  }

  /** NUL-terminated strings, one after the other. */
  strings(name: string, ...values: readonly string[]): this {
    return this.bytes(name, textBytes(values.map((value) => `${value}\0`).join('')));
  }

  /** A property that says something by being there. */
  flag(name: string): this {
    return this.bytes(name, new Uint8Array(0));
  }

  child(...builders: readonly NodeBuilder[]): this {
    for (const builder of builders) this.node.children.push(builder.node);
    return this;
  }
}

export function cellBytes(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setUint32(4 * index, value);
  return bytes;
}

/** One byte a character: the tree's strings are ASCII. */
export function textBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Packs a tree: header, one empty reservation, structure, strings, with nothing between or after them. */
export function flattenTree(root: TreeNode): Uint8Array {
  const strings = new StringBlock();
  strings.addTree(root);
  const text = strings.finish();
  const structure = HEADER_BYTES + RESERVATION_BYTES;
  const structureBytes = nodeBytes(root) + 4;
  const total = structure + structureBytes + text.length;
  const blob = new Uint8Array(total);
  const view = new DataView(blob.buffer);
  const header = [
    MAGIC,
    total,
    structure,
    structure + structureBytes,
    HEADER_BYTES,
    VERSION,
    LAST_COMPATIBLE_VERSION,
    0,
    text.length,
    structureBytes,
  ];
  for (const [index, word] of header.entries()) view.setUint32(4 * index, word);
  const end = writeNode(view, blob, structure, root, strings);
  view.setUint32(end, FDT_END);
  blob.set(text, structure + structureBytes);
  return blob;
}

/**
 * Names of properties, each once; a name that ends another one shares its bytes, as libfdt does (fdt_find_string).
 * libfdt puts a new property, and a new node, before its elders, so the blob's order is the reverse of the order
 * in which names were first met.
 */
class StringBlock {
  #text = '';

  addTree(node: TreeNode): void {
    for (const child of node.children.toReversed()) this.addTree(child);
    for (const property of node.properties.toReversed()) {
      if (this.#find(property.name) < 0) this.#text += `${property.name}\0`;
    }
  }

  offset(name: string): number {
    return this.#find(name);
  }

  finish(): Uint8Array {
    return textBytes(this.#text);
  }

  #find(name: string): number {
    return this.#text.indexOf(`${name}\0`);
  }
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

function nodeBytes(node: TreeNode): number {
  let bytes = 4 + padded(node.name.length + 1) + 4;
  for (const property of node.properties) bytes += 12 + padded(property.value.length);
  for (const child of node.children) bytes += nodeBytes(child);
  return bytes;
}

function writeNode(
  view: DataView,
  blob: Uint8Array,
  start: number,
  node: TreeNode,
  strings: StringBlock,
): number {
  let at = start;
  view.setUint32(at, FDT_BEGIN_NODE);
  blob.set(textBytes(node.name), at + 4);
  at += 4 + padded(node.name.length + 1);
  for (const property of node.properties) {
    view.setUint32(at, FDT_PROP);
    view.setUint32(at + 4, property.value.length);
    view.setUint32(at + 8, strings.offset(property.name));
    blob.set(property.value, at + 12);
    at += 12 + padded(property.value.length);
  }
  for (const child of node.children) at = writeNode(view, blob, at, child, strings);
  view.setUint32(at, FDT_END_NODE);
  return at + 4;
}

export type ReadTree =
  | { readonly ok: true; readonly root: TreeNode }
  | { readonly ok: false; readonly reason: string };

/**
 * Reads a blob that anyone may have written. Values are views into `blob`. Work and memory stay within a constant
 * factor of the blob's length.
 */
export function readFlattenedTree(blob: Uint8Array): ReadTree {
  const reader = new TreeReader(blob);
  return reader.read();
}

class TreeReader {
  readonly #blob: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #end = 0;
  #strings = 0;
  #stringsEnd = 0;
  #reason = '';

  constructor(blob: Uint8Array) {
    this.#blob = blob;
    this.#view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  }

  read(): ReadTree {
    if (!this.#header()) return { ok: false, reason: this.#reason };
    if (this.#token() !== FDT_BEGIN_NODE)
      return { ok: false, reason: 'the structure does not begin with a node' };
    const root = this.#node(0);
    if (root === undefined) return { ok: false, reason: this.#reason };
    if (this.#token() !== FDT_END) return { ok: false, reason: 'something follows the root node' };
    return { ok: true, root };
  }

  #fail(reason: string): undefined {
    if (this.#reason === '') this.#reason = reason;
    return undefined;
  }

  #header(): boolean {
    const { byteLength } = this.#view;
    if (byteLength < HEADER_BYTES) return this.#refuse('shorter than a header');
    if (this.#view.getUint32(0) !== MAGIC) return this.#refuse('no device tree: the magic number is missing');
    const total = this.#view.getUint32(4);
    if (total > byteLength || total < HEADER_BYTES) return this.#refuse('the total size is not the size');
    if (this.#view.getUint32(20) < VERSION) return this.#refuse('older than version 17');
    if (this.#view.getUint32(24) > VERSION) return this.#refuse('newer than version 17');
    this.#at = this.#view.getUint32(8);
    this.#end = this.#at + this.#view.getUint32(36);
    this.#strings = this.#view.getUint32(12);
    this.#stringsEnd = this.#strings + this.#view.getUint32(32);
    if (this.#at % 4 !== 0 || this.#end > total) return this.#refuse('the structure block lies outside');
    if (this.#stringsEnd > total) return this.#refuse('the strings block lies outside');
    return true;
  }

  #refuse(reason: string): false {
    this.#fail(reason);
    return false;
  }

  /** Zero, which is no token, where the block ends. */
  #token(): number {
    let token = FDT_NOP;
    while (token === FDT_NOP) {
      if (this.#at + 4 > this.#end) {
        this.#fail('the structure block is cut off');
        return 0;
      }
      token = this.#view.getUint32(this.#at);
      this.#at += 4;
    }
    return token;
  }

  #node(depth: number): TreeNode | undefined {
    if (depth === DEPTH_MAX) return this.#fail('nodes are nested too deeply');
    const name = this.#text(this.#at, this.#end);
    if (name === undefined) return this.#fail('a node name does not end');
    this.#at = padded(this.#at + name.length + 1);
    const node: TreeNode = { name, properties: [], children: [] };
    for (;;) {
      const token = this.#token();
      if (token === FDT_END_NODE) return node;
      if (token === FDT_PROP) {
        if (node.children.length > 0) return this.#fail('a property follows a child node');
        if (!this.#property(node)) return undefined;
      } else if (token === FDT_BEGIN_NODE) {
        const child = this.#node(depth + 1);
        if (child === undefined) return undefined;
        node.children.push(child);
      } else {
        return this.#fail('the structure holds an unknown token');
      }
    }
  }

  #property(node: TreeNode): boolean {
    if (this.#at + 8 > this.#end) return this.#refuse('a property is cut off');
    const length = this.#view.getUint32(this.#at);
    const nameOffset = this.#view.getUint32(this.#at + 4);
    this.#at += 8;
    if (length > this.#end - this.#at) return this.#refuse('a property value is cut off');
    const name = this.#text(this.#strings + nameOffset, this.#stringsEnd);
    if (name === undefined) return this.#refuse('a property name lies outside the strings');
    node.properties.push({ name, value: this.#blob.subarray(this.#at, this.#at + length) });
    this.#at = padded(this.#at + length);
    return true;
  }

  /** A NUL-terminated string below `end`, at most NAME_MAX long so that shared strings cannot multiply the work. */
  #text(start: number, end: number): string | undefined {
    let text = '';
    for (let at = start; at < end && text.length <= NAME_MAX; at++) {
      const code = this.#blob[at] ?? 0;
      if (code === 0) return text;
      text += String.fromCharCode(code);
    }
    return undefined;
  }
}

/** The specification allows 31 characters each; real trees have longer property names. */
const NAME_MAX = 255;

export function findChild(node: TreeNode, name: string): TreeNode | undefined {
  return node.children.find((child) => child.name === name);
}

export function findProperty(node: TreeNode, name: string): Uint8Array | undefined {
  return node.properties.find((property) => property.name === name)?.value;
}
