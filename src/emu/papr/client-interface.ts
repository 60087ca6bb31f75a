import type { Stateful, StateStream } from '../core/state.ts';
import { H_PARAMETER, H_SUCCESS } from './abi.ts';
import { negotiateArchitecture } from './cas.ts';
import {
  cellBytes,
  flattenTree,
  readFlattenedTree,
  textBytes,
  type TreeNode,
} from '../core/flattened-tree.ts';
import { addressOf } from './guest-access.ts';
import type { HcallFrame } from './hcall-frame.ts';
import type { Partition } from './partition.ts';

const ERROR = 0xffff_ffff;
const TWO_32 = 2 ** 32;
const REAL_MASK_HIGH = 0x0fff_ffff;
const ARGUMENTS_MAX = 10;
const SERVICE_BYTES = 64;
const NAME_BYTES = 65;
const PATH_BYTES = 256;
const VALUE_BYTES_MAX = 2048;
const TREE_ROOM = 0x20_0000;
/** `mr r4,r3; lis r3,0; ori r3,r3,0xf000; sc 1; blr`: what RTAS is made of. */
const RTAS_CODE = [0x7c64_1b78, 0x3c60_0000, 0x6063_f000, 0x4400_0022, 0x4e80_0020];

interface Range {
  readonly start: number;
  readonly bytes: number;
}

interface Instance {
  readonly path: string;
  readonly phandle: number;
}

/** One call under way: its arguments, and the results behind the first. */
interface Call {
  readonly partition: Partition;
  readonly nargs: number;
  readonly nret: number;
  readonly arguments: readonly number[];
  readonly results: number[];
}

interface Service {
  readonly name: string;
  /** Counts that are insisted on; 0 is any. */
  readonly nargs: number;
  readonly nret: number;
  readonly run: (client: ClientInterface, call: Call) => number;
}

/**
 * The client interface of Open Firmware (IEEE 1275, 6.3), answered by the machine as QEMU 7.2's Virtual Open Firmware
 * answers it (hw/ppc/vof.c, spapr_vof.c). Output by `write` goes nowhere, as there.
 */
export class ClientInterface implements Stateful {
  readonly #firmwareBytes: number;
  #root: TreeNode = { name: '', properties: [], children: [] };
  #claimed: Range[] = [];
  #claimedBase = 0;
  #top = 0;
  #instances: (Instance | undefined)[] = [];
  #bootArguments: Uint8Array | undefined;

  constructor(firmwareBytes: number) {
    this.#firmwareBytes = firmwareBytes;
  }

  /** Begins with the machine's tree; `claims` is what the machine has put into memory. */
  reset(partition: Partition, claims: readonly Range[]): void {
    this.#claimed = [];
    this.#claimedBase = 0;
    this.#instances = [];
    this.#bootArguments = undefined;
    this.#top = Math.min(partition.options.ramBytes, TWO_32);
    this.claim(0, this.#firmwareBytes, 0);
    for (const { start, bytes } of claims) this.claim(start, bytes, 0);
    this.#adopt(partition);
  }

  /** KVMPPC_H_VOF_CLIENT (address of the argument array). */
  call(partition: Partition, frame: HcallFrame): number {
    const at = addressOf(frame.high(0) & REAL_MASK_HIGH, frame.low(0));
    const words = new Uint8Array(4 * (3 + ARGUMENTS_MAX));
    if (!partition.guest.inRam(at, words.length)) return H_PARAMETER;
    partition.guest.read(at, words, 0, words.length);
    const view = new DataView(words.buffer);
    const nargs = view.getUint32(4);
    const nret = view.getUint32(8);
    if (nargs >= ARGUMENTS_MAX || nret > ARGUMENTS_MAX - nargs) return H_PARAMETER;
    const name = readString(partition, view.getUint32(0), SERVICE_BYTES);
    if (name === undefined) return H_PARAMETER;
    const call: Call = {
      partition,
      nargs,
      nret,
      arguments: Array.from({ length: ARGUMENTS_MAX }, (_, i) =>
        i < nargs ? view.getUint32(12 + 4 * i) : 0,
      ),
      results: [],
    };
    const result = this.#serve(name, call);
    if (nret === 0) return H_SUCCESS;
    const answer = [result, ...Array.from({ length: nret - 1 }, (_, i) => call.results[i] ?? 0)];
    partition.guest.write(at + 12 + 4 * nargs, cellBytes(answer), 0, 4 * nret);
    return H_SUCCESS;
  }

  exchange(state: StateStream): void {
    const tree = state.blob(flattenTree(this.#root));
    if (state.restoring) {
      const read = readFlattenedTree(tree);
      if (read.ok) this.#root = read.root;
    }
    const claims = state.blob(cellBytes(this.#claimed.flatMap((range) => [range.start, range.bytes])));
    if (state.restoring) this.#claimed = rangesOf(claims);
    this.#claimedBase = state.integer(this.#claimedBase);
    this.#top = state.integer(this.#top);
    const paths = state.blob(textBytes(this.#instances.map((known) => known?.path ?? '').join('\n')));
    if (state.restoring) this.#reopen(paths);
    const given = state.blob(this.#bootArguments ?? new Uint8Array(0));
    this.#bootArguments = given.length === 0 ? undefined : given;
  }

  // --- Memory -----------------------------------------------------------------------------------------------------

  /** The start of what was claimed, or -1. */
  claim(start: number, bytes: number, align: number): number {
    let at = start;
    if (bytes === 0) return -1;
    if (align === 0) {
      if (!this.#isFree(start, bytes)) return -1;
    } else {
      // QEMU rounds up once, then goes on in steps of the size.
      this.#claimedBase = Math.ceil(this.#claimedBase / align) * align;
      while (!this.#isFree(this.#claimedBase, bytes)) {
        this.#claimedBase += bytes;
        if (this.#claimedBase >= this.#top) return -1;
      }
      if (this.#claimedBase >= this.#top) return -1;
      at = this.#claimedBase;
    }
    this.#claimedBase = Math.max(this.#claimedBase, at + bytes);
    this.#claimed.push({ start: at, bytes });
    return at;
  }

  release(start: number, bytes: number): boolean {
    const index = this.#claimed.findIndex((range) => range.start === start && range.bytes === bytes);
    if (index < 0) return false;
    this.#claimed.splice(index, 1);
    return true;
  }

  #isFree(start: number, bytes: number): boolean {
    return this.#claimed.every((range) => start + bytes <= range.start || range.start + range.bytes <= start);
  }

  /** `available` of the first memory node: what lies behind each claim. */
  describeAvailable(): void {
    const node = this.find('/memory@0');
    if (node === undefined) return;
    const reg = property(node, 'reg');
    const view = reg === undefined ? undefined : new DataView(reg.buffer, reg.byteOffset, reg.byteLength);
    const end = view === undefined ? 0 : Number(view.getBigUint64(8));
    this.#claimed.sort((a, b) => a.start - b.start);
    const cells = this.#claimed.flatMap((range, index) => {
      const start = range.start + range.bytes;
      const next = this.#claimed[index + 1]?.start ?? end;
      return [...wide(start), ...wide(Math.max(0, next - start))];
    });
    setProperty(node, 'available', cellBytes(cells));
  }

  // --- The tree ---------------------------------------------------------------------------------------------------

  find(path: string): TreeNode | undefined {
    let node: TreeNode | undefined = this.#root;
    for (const part of path.split('/').filter((name) => name !== '')) {
      const wanted = withLowerUnit(part);
      node = node?.children.find(
        (child) => child.name === wanted || (!wanted.includes('@') && baseName(child.name) === wanted),
      );
    }
    return path.startsWith('/') ? node : undefined;
  }

  byHandle(handle: number): TreeNode | undefined {
    return this.#nodes().find((node) => handleOf(node) === handle);
  }

  get root(): TreeNode {
    return this.#root;
  }

  parentOf(child: TreeNode): TreeNode | undefined {
    return this.#nodes().find((node) => node.children.includes(child));
  }

  pathOf(node: TreeNode): string {
    const parent = this.parentOf(node);
    if (parent === undefined) return '/';
    const higher = this.pathOf(parent);
    return `${higher === '/' ? '' : higher}/${node.name}`;
  }

  open(path: string): number {
    const node = this.find(path);
    if (node === undefined) return ERROR;
    this.#instances.push({ path, phandle: handleOf(node) });
    return this.#instances.length;
  }

  close(handle: number): void {
    if (handle >= 1 && handle <= this.#instances.length) this.#instances[handle - 1] = undefined;
  }

  instance(handle: number): Instance | undefined {
    return this.#instances[handle - 1];
  }

  setBootArguments(value: Uint8Array): void {
    this.#bootArguments = value;
  }

  /** The guest's tree after the architecture is agreed on: new but for what the guest has set. */
  architectureSupport(partition: Partition, vectors: number): number {
    const status = negotiateArchitecture(partition, vectors, TREE_ROOM);
    if (status === H_SUCCESS) this.#adopt(partition);
    return status >>> 0;
  }

  /** What the machine may read of the guest's tree from now on. */
  handOver(partition: Partition): void {
    partition.handOver(flattenTree(this.#root));
  }

  #serve(name: string, call: Call): number {
    const service = SERVICES.find((row) => row.name === name);
    const counted =
      service !== undefined &&
      (service.nargs === 0 || service.nargs === call.nargs) &&
      (service.nret === 0 || service.nret === call.nret);
    return counted ? service.run(this, call) : ERROR;
  }

  /** Takes the machine's present tree and gives every node a handle (vof_build_dt). */
  #adopt(partition: Partition): void {
    const read = readFlattenedTree(partition.tree);
    if (!read.ok) return;
    this.#root = read.root;
    const nodes = this.#nodes();
    let handle = Math.max(0, ...nodes.map(handleOf));
    for (const node of nodes) {
      if (property(node, 'phandle') === undefined) setProperty(node, 'phandle', cellBytes([++handle]));
    }
    this.describeAvailable();
    const chosen = this.find('/chosen');
    if (chosen === undefined) return;
    if (this.#bootArguments !== undefined) setProperty(chosen, 'bootargs', this.#bootArguments);
    const output = property(chosen, 'stdout-path');
    if (output !== undefined) setProperty(chosen, 'stdout', cellBytes([this.open(textOf(output))]));
  }

  /** Every node, each before its children. */
  #nodes(): TreeNode[] {
    const found: TreeNode[] = [];
    const visit = (node: TreeNode): void => {
      found.push(node);
      for (const child of node.children) visit(child);
    };
    visit(this.#root);
    return found;
  }

  #reopen(paths: Uint8Array): void {
    const text = textOf(paths);
    this.#instances =
      text === ''
        ? []
        : text.split('\n').map((path) => {
            const node = path === '' ? undefined : this.find(path);
            return node === undefined ? undefined : { path, phandle: handleOf(node) };
          });
  }
}

function wide(value: number): [number, number] {
  return [Math.floor(value / TWO_32), value % TWO_32];
}

function rangesOf(cells: Uint8Array): Range[] {
  const view = new DataView(cells.buffer, cells.byteOffset, cells.byteLength);
  return Array.from({ length: cells.length / 8 }, (_, i) => ({
    start: view.getUint32(8 * i),
    bytes: view.getUint32(8 * i + 4),
  }));
}

function property(node: TreeNode, name: string): Uint8Array | undefined {
  return node.properties.find((known) => known.name === name)?.value;
}

function setProperty(node: TreeNode, name: string, value: Uint8Array): void {
  const index = node.properties.findIndex((known) => known.name === name);
  // libfdt puts a new property before its elders.
  if (index < 0) node.properties.unshift({ name, value });
  else node.properties[index] = { name, value };
}

function handleOf(node: TreeNode): number {
  const value = property(node, 'phandle');
  return value === undefined ? 0 : new DataView(value.buffer, value.byteOffset, 4).getUint32(0);
}

/** Unit addresses are written in lower case, whatever the client does. */
function withLowerUnit(name: string): string {
  const at = name.indexOf('@');
  return at < 0 ? name : name.slice(0, at) + name.slice(at).toLowerCase();
}

function baseName(name: string): string {
  return name.split('@')[0] ?? '';
}

/** A NUL-terminated string of bytes. */
function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return String.fromCharCode(...bytes.subarray(0, end < 0 ? bytes.length : end));
}

/** Undefined if it does not end within so many bytes. */
function readString(partition: Partition, at: number, bytesMax: number): string | undefined {
  const bytes = new Uint8Array(bytesMax);
  partition.guest.read(at, bytes, 0, bytesMax);
  return bytes.includes(0) ? textOf(bytes) : undefined;
}

function put(call: Call, at: number, bytes: Uint8Array): void {
  call.partition.guest.write(at, bytes, 0, bytes.length);
}

/** A property's value; `name` is made from the node's where it is missing. */
function valueOf(node: TreeNode, name: string): Uint8Array | undefined {
  return property(node, name) ?? (name === 'name' ? textBytes(`${baseName(node.name)}\0`) : undefined);
}

const argument = (call: Call, index: number): number => call.arguments[index] ?? 0;

function findDevice(client: ClientInterface, call: Call): number {
  const path = readString(call.partition, argument(call, 0), PATH_BYTES);
  const node = path === undefined ? undefined : client.find(path);
  return node === undefined ? ERROR : handleOf(node);
}

function named(client: ClientInterface, call: Call): { node: TreeNode; name: string } | undefined {
  const node = client.byHandle(argument(call, 0));
  const name = readString(call.partition, argument(call, 1), NAME_BYTES);
  return node === undefined || name === undefined ? undefined : { node, name };
}

function getProp(client: ClientInterface, call: Call): number {
  const found = named(client, call);
  const value = found === undefined ? undefined : valueOf(found.node, found.name);
  if (value === undefined) return ERROR;
  put(call, argument(call, 2), value.subarray(0, argument(call, 3)));
  return value.length;
}

function getPropLen(client: ClientInterface, call: Call): number {
  const found = named(client, call);
  return (found === undefined ? undefined : valueOf(found.node, found.name))?.length ?? ERROR;
}

function setProp(client: ClientInterface, call: Call): number {
  const length = argument(call, 3);
  const found = named(client, call);
  if (length > VALUE_BYTES_MAX || found === undefined) return ERROR;
  const value = new Uint8Array(length);
  call.partition.guest.read(argument(call, 2), value, 0, length);
  if (found.name === 'bootargs' && client.pathOf(found.node) === '/chosen') client.setBootArguments(value);
  setProperty(found.node, found.name, value);
  return length;
}

function nextProp(client: ClientInterface, call: Call): number {
  const node = client.byHandle(argument(call, 0));
  const before = readString(call.partition, argument(call, 1), NAME_BYTES);
  if (before === undefined) return ERROR;
  const names = node?.properties.map((known) => known.name) ?? [];
  const index = before === '' ? 0 : names.indexOf(before) + 1;
  const next = before !== '' && index === 0 ? undefined : names[index];
  if (next === undefined) return 0;
  put(call, argument(call, 2), textBytes(`${next}\0`));
  return 1;
}

function peer(client: ClientInterface, call: Call): number {
  if (argument(call, 0) === 0) return handleOf(client.root);
  const node = client.byHandle(argument(call, 0));
  const siblings = node === undefined ? undefined : client.parentOf(node)?.children;
  if (node === undefined || siblings === undefined) return 0;
  const next = siblings[siblings.indexOf(node) + 1];
  return next === undefined ? 0 : handleOf(next);
}

function firstChild(client: ClientInterface, call: Call): number {
  const first = client.byHandle(argument(call, 0))?.children[0];
  return first === undefined ? 0 : handleOf(first);
}

function above(client: ClientInterface, call: Call): number {
  const node = client.byHandle(argument(call, 0));
  const found = node === undefined ? undefined : client.parentOf(node);
  return found === undefined ? 0 : handleOf(found);
}

function open(client: ClientInterface, call: Call): number {
  const path = readString(call.partition, argument(call, 0), PATH_BYTES);
  return path === undefined ? ERROR : client.open(path);
}

/** The path's length with its NUL, whatever room the caller has (vof_package_to_path). */
function tellPath(client: ClientInterface, call: Call, handle: number | undefined): number {
  const node = handle === undefined ? undefined : client.byHandle(handle);
  if (node === undefined) return ERROR;
  const path = textBytes(`${client.pathOf(node)}\0`);
  put(call, argument(call, 1), path);
  return path.length;
}

function claim(client: ClientInterface, call: Call): number {
  const start = client.claim(argument(call, 0), argument(call, 1), argument(call, 2));
  if (start < 0 || start >= TWO_32) return ERROR;
  client.describeAvailable();
  return start;
}

function release(client: ClientInterface, call: Call): number {
  if (!client.release(argument(call, 0), argument(call, 1))) return ERROR;
  client.describeAvailable();
  return 0;
}

/** In QEMU it is the firmware inside the guest that places RTAS; what the guest finds is the same. */
function instantiateRtas(call: Call, base: number): number {
  put(call, base, cellBytes(RTAS_CODE));
  call.results[0] = base;
  return 0;
}

function callMethod(client: ClientInterface, call: Call): number {
  const method = readString(call.partition, argument(call, 0), PATH_BYTES);
  const path = client.instance(argument(call, 1))?.path;
  if (path === '/' && method === 'ibm,client-architecture-support') {
    call.results[0] = 0;
    return client.architectureSupport(call.partition, argument(call, 2));
  }
  if (path === '/rtas' && method === 'instantiate-rtas') return instantiateRtas(call, argument(call, 2));
  return ERROR;
}

const TICKS_PER_MILLISECOND = 512_000;

const SERVICES: readonly Service[] = [
  { name: 'finddevice', nargs: 1, nret: 1, run: findDevice },
  { name: 'getprop', nargs: 4, nret: 1, run: getProp },
  { name: 'getproplen', nargs: 2, nret: 1, run: getPropLen },
  { name: 'setprop', nargs: 4, nret: 1, run: setProp },
  { name: 'nextprop', nargs: 3, nret: 1, run: nextProp },
  { name: 'peer', nargs: 1, nret: 1, run: peer },
  { name: 'child', nargs: 1, nret: 1, run: firstChild },
  { name: 'parent', nargs: 1, nret: 1, run: above },
  { name: 'open', nargs: 1, nret: 1, run: open },
  {
    name: 'close',
    nargs: 1,
    nret: 0,
    run: (client, call) => {
      client.close(argument(call, 0));
      return 0;
    },
  },
  {
    name: 'instance-to-package',
    nargs: 1,
    nret: 1,
    run: (client, call) => client.instance(argument(call, 0))?.phandle ?? ERROR,
  },
  {
    name: 'package-to-path',
    nargs: 3,
    nret: 1,
    run: (client, call) => tellPath(client, call, argument(call, 0)),
  },
  {
    name: 'instance-to-path',
    nargs: 3,
    nret: 1,
    run: (client, call) => tellPath(client, call, client.instance(argument(call, 0))?.phandle),
  },
  // QEMU counts down what it was given, and answers with what is left.
  {
    name: 'write',
    nargs: 3,
    nret: 1,
    run: (client, call) => (client.instance(argument(call, 0)) === undefined ? ERROR : 0),
  },
  { name: 'claim', nargs: 3, nret: 1, run: claim },
  { name: 'release', nargs: 2, nret: 0, run: release },
  { name: 'call-method', nargs: 0, nret: 0, run: callMethod },
  { name: 'interpret', nargs: 0, nret: 0, run: () => ERROR },
  {
    name: 'milliseconds',
    nargs: 0,
    nret: 1,
    run: (_, call) => Math.floor(call.partition.environment.queue.now / TICKS_PER_MILLISECOND) % TWO_32,
  },
  {
    name: 'quiesce',
    nargs: 0,
    nret: 0,
    run: (client, call) => {
      client.handOver(call.partition);
      return 0;
    },
  },
  {
    name: 'exit',
    nargs: 0,
    nret: 0,
    run: (_, call) => {
      call.partition.say('Stopped as the VM requested "exit"');
      call.partition.environment.request('fatal');
      return 0;
    },
  },
];
