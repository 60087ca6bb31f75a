import { readFlattenedTree, type TreeNode } from '../../emu/papr/flattened-tree.ts';

/** What the device tree says of the host bridge and of RTAS: read once a machine, as a kernel reads it once a boot. */
export interface Hardware {
  readonly buidHigh: number;
  readonly buidLow: number;
  readonly liobn: number;
  /** CPU addresses of the host bridge's windows; the bus address that a window begins with. */
  readonly ioBase: number;
  readonly mem32Base: number;
  readonly mem32Bus: number;
  /** 0 where the bridge has no 64-bit window. */
  readonly mem64Base: number;
  readonly mem64Bus: number;
  readonly tokens: ReadonlyMap<string, number>;
  /** Slots that the bridge's children stand in, as slot << 3 | function. */
  readonly devfns: readonly number[];
}

const IO_SPACE = 1;
const MEM32_SPACE = 2;
const MEM64_SPACE = 3;
const RANGE_CELLS = 7;
const TWO_32 = 2 ** 32;

export function hardwareOf(deviceTree: Uint8Array): Hardware {
  const tree = readFlattenedTree(deviceTree);
  if (!tree.ok) throw new Error(`the device tree cannot be read: ${tree.reason}`);
  const rtas = childOf(tree.root, 'rtas');
  const bridge = childOf(tree.root, 'pci@');
  const tokens = new Map<string, number>();
  for (const { name, value } of rtas.properties)
    if (value.length === 4) tokens.set(name, cells(value)[0] ?? 0);
  const reg = cells(valueOf(bridge, 'reg'));
  const ranges = cells(valueOf(bridge, 'ranges'));
  const io = rangeOf(ranges, IO_SPACE);
  const mem32 = rangeOf(ranges, MEM32_SPACE);
  const mem64 = rangeOf(ranges, MEM64_SPACE);
  return {
    buidHigh: reg[0] ?? 0,
    buidLow: reg[1] ?? 0,
    liobn: cells(valueOf(bridge, 'ibm,dma-window'))[0] ?? 0,
    ioBase: io?.cpu ?? 0,
    mem32Base: mem32?.cpu ?? 0,
    mem32Bus: mem32?.bus ?? 0,
    mem64Base: mem64?.cpu ?? 0,
    mem64Bus: mem64?.bus ?? 0,
    tokens,
    devfns: bridge.children.map((child) => ((cells(valueOf(child, 'reg'))[0] ?? 0) >>> 8) & 0xff),
  };
}

function rangeOf(
  ranges: readonly number[],
  space: number,
): { readonly bus: number; readonly cpu: number } | undefined {
  for (let at = 0; at + RANGE_CELLS <= ranges.length; at += RANGE_CELLS) {
    if ((ranges[at] ?? 0) >>> 24 !== space) continue;
    return {
      bus: (ranges[at + 1] ?? 0) * TWO_32 + (ranges[at + 2] ?? 0),
      cpu: (ranges[at + 3] ?? 0) * TWO_32 + (ranges[at + 4] ?? 0),
    };
  }
  return undefined;
}

function childOf(node: TreeNode, prefix: string): TreeNode {
  const found = node.children.find((child) => child.name.startsWith(prefix));
  if (found === undefined) throw new Error(`the device tree has no ${prefix} node`);
  return found;
}

function valueOf(node: TreeNode, name: string): Uint8Array {
  return node.properties.find((property) => property.name === name)?.value ?? new Uint8Array(0);
}

function cells(value: Uint8Array): number[] {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const found: number[] = [];
  for (let at = 0; at + 4 <= value.length; at += 4) found.push(view.getUint32(at));
  return found;
}
