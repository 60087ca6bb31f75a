import { assert } from '../core/assert.ts';

/** What a guest finds out from its device tree, and from nowhere else. */
export interface Hardware {
  /** First cell pair of ibm,lrdr-capacity: top of hot-pluggable memory, 0 if there is none. */
  readonly hotplugTop: number;
  /** RTAS token by name. */
  readonly tokens: ReadonlyMap<string, number>;
  /** hcall-multi-tce: H_PUT_TCE_INDIRECT and H_STUFF_TCE may be used. */
  readonly multiTce: boolean;
  readonly bridges: readonly HostBridgeNode[];
}

export interface HostBridgeNode {
  readonly buidHigh: number;
  readonly buidLow: number;
  readonly io: BridgeWindow | undefined;
  readonly mem32: BridgeWindow | undefined;
  readonly mem64: BridgeWindow | undefined;
  readonly liobn: number;
  /** Bytes of the default DMA window, which begins at bus address 0. */
  readonly dmaBytes: number;
  readonly ddw: DynamicWindows | undefined;
  /** Interrupt source by 4 * slot + pin - 1. */
  readonly intx: Int32Array;
  /** Whether the nodes below name every function there is (qemu,phb-enumerated). */
  readonly enumerated: boolean;
  readonly functions: readonly FunctionNode[];
}

export interface BridgeWindow {
  readonly bus: number;
  readonly cpu: number;
  readonly bytes: number;
}

interface DynamicWindows {
  readonly query: number;
  readonly create: number;
  readonly remove: number;
  readonly reset: number;
  /** Results of the query: 6 if the largest window has 64 bits, else 5. */
  readonly queryResults: number;
}

interface FunctionNode {
  readonly devfn: number;
  readonly vendor: number;
  readonly device: number;
}

interface Node {
  readonly name: string;
  readonly properties: Map<string, DataView>;
  readonly children: Node[];
}

/** Reads the tree that the machine handed over; a tree that is none is the machine's mistake. */
export function readHardware(deviceTree: Uint8Array): Hardware {
  const root = unflatten(deviceTree);
  const rtas = root.children.find((node) => node.name === 'rtas');
  assert(rtas !== undefined, 'the device tree has an RTAS node');
  const tokens = new Map<string, number>();
  for (const [name, value] of rtas.properties)
    if (value.byteLength === 4) tokens.set(name, value.getUint32(0));
  const lrdr = rtas.properties.get('ibm,lrdr-capacity');
  return {
    hotplugTop: lrdr === undefined ? 0 : wide(lrdr, 0),
    tokens,
    multiTce: strings(rtas.properties.get('ibm,hypertas-functions')).includes('hcall-multi-tce'),
    bridges: root.children.filter((node) => node.name.startsWith('pci@')).map((node) => hostBridge(node)),
  };
}

function hostBridge(node: Node): HostBridgeNode {
  const reg = property(node, 'reg');
  const windows = bridgeWindows(property(node, 'ranges'));
  const dma = property(node, 'ibm,dma-window');
  return {
    buidHigh: reg.getUint32(0),
    buidLow: reg.getUint32(4),
    io: windows[1],
    mem32: windows[2],
    mem64: windows[3],
    liobn: dma.getUint32(0),
    dmaBytes: wide(dma, 12),
    ddw: dynamicWindows(node),
    intx: interruptMap(property(node, 'interrupt-map')),
    enumerated: node.properties.has('qemu,phb-enumerated'),
    functions: node.children.map((child) => ({
      devfn: (property(child, 'reg').getUint32(0) >>> 8) & 0xff,
      vendor: property(child, 'vendor-id').getUint32(0),
      device: property(child, 'device-id').getUint32(0),
    })),
  };
}

const RANGE_BYTES = 28;

/** By address space: 1 I/O, 2 memory below 4 GiB, 3 memory. */
function bridgeWindows(ranges: DataView): (BridgeWindow | undefined)[] {
  const windows: (BridgeWindow | undefined)[] = [undefined, undefined, undefined, undefined];
  for (let at = 0; at < ranges.byteLength; at += RANGE_BYTES) {
    windows[(ranges.getUint32(at) >>> 24) & 3] = {
      bus: wide(ranges, at + 4),
      cpu: wide(ranges, at + 12),
      bytes: wide(ranges, at + 20),
    };
  }
  return windows;
}

function dynamicWindows(node: Node): DynamicWindows | undefined {
  const applicable = node.properties.get('ibm,ddw-applicable');
  if (applicable === undefined) return undefined;
  const extensions = node.properties.get('ibm,ddw-extensions');
  const count = extensions === undefined ? 0 : extensions.getUint32(0);
  return {
    query: applicable.getUint32(0),
    create: applicable.getUint32(4),
    remove: applicable.getUint32(8),
    reset: count >= 1 ? (extensions?.getUint32(4) ?? -1) : -1,
    queryResults: count >= 2 && extensions?.getUint32(8) === 1 ? 6 : 5,
  };
}

const MAP_ENTRY_BYTES = 28;

function interruptMap(map: DataView): Int32Array {
  const sources = new Int32Array(128).fill(-1);
  for (let at = 0; at < map.byteLength; at += MAP_ENTRY_BYTES) {
    const slot = (map.getUint32(at) >>> 11) & 0x1f;
    const pin = map.getUint32(at + 12);
    sources[4 * slot + pin - 1] = map.getUint32(at + 20);
  }
  return sources;
}

function property(node: Node, name: string): DataView {
  const value = node.properties.get(name);
  assert(value !== undefined, `${node.name} has ${name}`);
  return value;
}

/** Two cells as a number. */
function wide(view: DataView, at: number): number {
  return view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
}

function strings(value: DataView | undefined): string[] {
  return value === undefined ? [] : text(value, 0, value.byteLength).split('\0');
}

function text(view: DataView, start: number, end: number): string {
  let result = '';
  for (let at = start; at < end; at++) result += String.fromCharCode(view.getUint8(at));
  return result;
}

function unflatten(blob: Uint8Array): Node {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  assert(view.getUint32(0) === 0xd00dfeed, 'the machine hands over a device tree');
  const stringsAt = view.getUint32(12);
  const path: Node[] = [];
  let at = view.getUint32(8);
  const name = (start: number): string => {
    let end = start;
    while (view.getUint8(end) !== 0) end++;
    return text(view, start, end);
  };
  for (;;) {
    const token = view.getUint32(at);
    at += 4;
    if (token === 1) {
      const node: Node = { name: name(at), properties: new Map(), children: [] };
      at = (at + node.name.length + 4) & ~3;
      path.at(-1)?.children.push(node);
      path.push(node);
    } else if (token === 3) {
      const length = view.getUint32(at);
      const value = new DataView(blob.buffer, blob.byteOffset + at + 8, length);
      path.at(-1)?.properties.set(name(stringsAt + view.getUint32(at + 4)), value);
      at = (at + 8 + length + 3) & ~3;
    } else if (token === 2) {
      const node = path.pop();
      assert(node !== undefined, 'a node ends that has begun');
      if (path.length === 0) return node;
    } else {
      assert(token === 4, 'the device tree holds known tokens');
    }
  }
}
