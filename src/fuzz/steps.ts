import { LIES } from './adversary/host/lies.ts';
import { COMMAND_SHAPES } from './adversary/net-commands.ts';
import { HOST_ORDERS } from './adversary/host-orders.ts';
import type { Chain, RingShape, Step } from './case.ts';

/** In the order of their numbers in stored cases. */
export const STEP_NAMES = [
  'request',
  'submit',
  'ring',
  'scribble',
  'notify',
  'tce-put',
  'tce-stuff',
  'tce-indirect',
  'tce-get',
  'remap',
  'ddw-query',
  'ddw-create',
  'ddw-remove',
  'ddw-reset',
  'config-read',
  'config-write',
  'register-read',
  'register-write',
  'status',
  'features',
  'reset-queue',
  'recover',
  'advance',
  'idle',
  'host-frame',
  'hcall',
  'byte-order',
  'set-up',
  'reap',
  'legacy-frame',
  'fail',
  'poke',
  'peek',
  'neighbour',
  'lie',
  'blk-request',
  'scsi-command',
  'scsi-task',
  'net-open',
  'net-command',
  'net-send',
  'net-wire',
  'host-order',
  'control-message',
  'host-bytes',
  'monitor-order',
  'balloon-pages',
  'statistics',
  'hint-command',
] as const;
export type StepName = (typeof STEP_NAMES)[number];

/** One argument of a step. */
export interface StepArgument {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  /** What shrinking aims at, and what the text form leaves out. */
  readonly plain: number;
  /** Names of the values from `least` on, where they have names. */
  readonly words?: readonly string[];
  /** Values worth more than their share. */
  readonly edges?: readonly number[];
  /** A lie that ends most of what a case could still show: told once in sixteen times. */
  readonly rare?: boolean;
}

export interface StepRow {
  readonly name: StepName;
  readonly carries?: 'chain' | 'ring';
  readonly args: readonly StepArgument[];
}

const U16 = 0xffff;
const U32 = 0xffff_ffff;
const QUEUE: StepArgument = { name: 'queue', least: 0, most: 2, plain: 0 };
const PERMISSION: StepArgument = {
  name: 'permission',
  least: 0,
  most: 3,
  plain: 3,
  words: ['none', 'read', 'write', 'both'],
};
const WINDOW: StepArgument = { name: 'window', least: 0, most: 3, plain: 0, edges: [0, 1] };
const PAGE: StepArgument = {
  name: 'page',
  least: 0,
  most: 0x7_ffff,
  plain: 0,
  edges: [0, 1, 2, 0x3_fffe, 0x3_ffff, 0x4_0000],
};
const TARGET: StepArgument = {
  name: 'target',
  least: 0,
  most: 4,
  plain: 0,
  words: ['buffer', 'rings', 'hole', 'own-bar', 'all-ones'],
};
const WIDTH: StepArgument = { name: 'width', least: 0, most: 3, plain: 2, words: ['1', '2', '4', '8'] };
const VALUE: StepArgument = {
  name: 'value',
  least: 0,
  most: U32,
  plain: 0,
  edges: [0, 1, 2, 3, 4, 8, 0xf, 0xff, 0x100, U16, 0x8000_0000, U32],
};
const AREA: StepArgument = {
  name: 'area',
  least: 0,
  most: 3,
  plain: 0,
  words: ['descriptors', 'available', 'used', 'buffers'],
};

const WAY: StepArgument = { name: 'way', least: 0, most: 2, plain: 2, words: ['none', 'out', 'in'] };
const SECTOR: StepArgument = {
  name: 'sector',
  least: 0,
  most: U32,
  plain: 64,
  edges: [0, 63, 64, 126, 127, 128, 129, U32],
};
const POKED: StepArgument = { name: 'area', least: 0, most: 1, plain: 0, words: ['buffers', 'rings'] };
const RING_AREA: StepArgument = { ...AREA, most: 2, words: ['descriptors', 'available', 'used'] };

/**
 * What a program can consist of. A row's position is its number in stored cases, so rows are only added at the end,
 * and arguments only at the end of a row.
 */
export const STEPS: readonly StepRow[] = [
  /** An honest request, whose outcome is held against what was asked. */
  {
    name: 'request',
    args: [
      { name: 'kind', least: 0, most: 1, plain: 0, words: ['read', 'write'] },
      { name: 'sector', least: 0, most: 62, plain: 0 },
      { name: 'sectors', least: 1, most: 8, plain: 1 },
      { name: 'fill', least: 0, most: 255, plain: 0 },
    ],
  },
  /** A chain, published and notified; `head` and `jump` tell lies about it. */
  {
    name: 'submit',
    carries: 'chain',
    args: [
      QUEUE,
      {
        name: 'head',
        least: 0,
        most: U16 + 1,
        plain: U16 + 1,
        rare: true,
        edges: [0, 7, 8, 255, 256, 257, 0x8000, U16],
      },
      { name: 'jump', least: 0, most: U16, plain: 1, rare: true, edges: [0, 1, 2, 256, 257, 0x8000, U16] },
      { name: 'times', least: 1, most: 4, plain: 1 },
      { name: 'kick', least: 0, most: 1, plain: 1, words: ['no', 'yes'] },
    ],
  },
  /** Descriptors and rings written by hand. */
  {
    name: 'ring',
    carries: 'ring',
    args: [QUEUE, { name: 'kick', least: 0, most: 1, plain: 1, words: ['no', 'yes'] }],
  },
  /** 16 bits stored somewhere in a ring area. */
  {
    name: 'scribble',
    args: [
      QUEUE,
      RING_AREA,
      { name: 'offset', least: 0, most: 4095, plain: 0, edges: [0, 2, 4, 8, 12, 14] },
      { ...VALUE, most: U16, edges: [0, 1, 2, 4, 255, 256, 257, U16] },
    ],
  },
  {
    name: 'notify',
    args: [
      QUEUE,
      { name: 'value', least: 0, most: U16, plain: 0, edges: [0, 1, 2, 3, 1023, 1024, U16] },
      { ...WIDTH, most: 2, plain: 1, words: ['1', '2', '4'] },
    ],
  },
  { name: 'tce-put', args: [WINDOW, PAGE, TARGET, PERMISSION] },
  {
    name: 'tce-stuff',
    args: [
      WINDOW,
      PAGE,
      { name: 'pages', least: 0, most: 0x4_0001, plain: 1, edges: [0, 1, 2, 16, 0x4_0000, 0x4_0001] },
      PERMISSION,
    ],
  },
  {
    name: 'tce-indirect',
    args: [
      WINDOW,
      PAGE,
      { name: 'pages', least: 0, most: 513, plain: 1, edges: [0, 1, 2, 512, 513] },
      PERMISSION,
      { name: 'list', least: 0, most: 2, plain: 0, words: ['list', 'unaligned', 'hole'] },
    ],
  },
  { name: 'tce-get', args: [WINDOW, PAGE] },
  /** Gives every page of an area that the device uses another permission; the next recovery maps it again. */
  {
    name: 'remap',
    args: [
      QUEUE,
      AREA,
      { ...PERMISSION, plain: 0 },
      { name: 'target', least: 0, most: 1, plain: 0, words: ['same', 'hole'] },
    ],
  },
  { name: 'ddw-query', args: [{ name: 'results', least: 0, most: 7, plain: 6, edges: [5, 6] }] },
  {
    name: 'ddw-create',
    args: [
      { name: 'pageShift', least: 0, most: 63, plain: 16, edges: [12, 16, 21, 24] },
      // A difference of 20 and more would cost the host that many TCEs; the runner bounds it.
      { name: 'windowShift', least: 0, most: 63, plain: 28, edges: [12, 28, 30] },
    ],
  },
  { name: 'ddw-remove', args: [WINDOW] },
  { name: 'ddw-reset', args: [] },
  {
    name: 'config-read',
    args: [{ name: 'offset', least: 0, most: 260, plain: 0, edges: [0, 4, 0x10, 0x34, 0xfc, 0x100] }, WIDTH],
  },
  {
    name: 'config-write',
    args: [
      { name: 'offset', least: 0, most: 260, plain: 0, edges: [4, 6, 0x10, 0x14, 0x20, 0x3c, 0x40, 0x42] },
      WIDTH,
      VALUE,
    ],
  },
  {
    name: 'register-read',
    args: [
      { name: 'region', least: 0, most: 4, plain: 0, words: ['common', 'isr', 'device', 'notify', 'msix'] },
      { name: 'offset', least: 0, most: 0x3fff, plain: 0 },
      WIDTH,
    ],
  },
  {
    name: 'register-write',
    args: [
      { name: 'region', least: 0, most: 4, plain: 0, words: ['common', 'isr', 'device', 'notify', 'msix'] },
      { name: 'offset', least: 0, most: 0x3fff, plain: 0 },
      WIDTH,
      VALUE,
    ],
  },
  {
    name: 'status',
    args: [{ name: 'value', least: 0, most: 255, plain: 0, edges: [0, 1, 3, 4, 7, 8, 0xb, 0xf, 0x40, 0x80] }],
  },
  { name: 'features', args: [{ name: 'select', least: 0, most: 3, plain: 0, edges: [0, 1] }, VALUE] },
  /** RING_RESET of one queue, offered or not. */
  { name: 'reset-queue', args: [QUEUE, { name: 'value', least: 0, most: 2, plain: 1 }] },
  /** Status 0, then the whole set-up again. */
  { name: 'recover', args: [] },
  {
    name: 'advance',
    args: [{ name: 'microseconds', least: 0, most: 1_000_000, plain: 1, edges: [0, 1, 1000] }],
  },
  { name: 'idle', args: [] },
  /** The host sends a frame to a network device. */
  {
    name: 'host-frame',
    args: [
      { name: 'length', least: 0, most: 65_550, plain: 60, edges: [0, 13, 14, 59, 60, 1514, 1515, 65_535] },
      { name: 'fill', least: 0, most: 255, plain: 0 },
    ],
  },
  /** A hypercall by number with small arguments. */
  {
    name: 'hcall',
    args: [
      { name: 'token', least: 0, most: 0x1_0000, plain: 0, edges: [0x1c, 0x20, 0x138, 0x13c, 0x300, 0xf000] },
      VALUE,
      { ...VALUE, name: 'second' },
    ],
  },
  /** MSR[LE] of the acting CPU from now on. */
  { name: 'byte-order', args: [{ name: 'order', least: 0, most: 1, plain: 0, words: ['big', 'little'] }] },
  /** Initialises a queue in the wrong order, or only in part: a bit a phase, done from the lowest to the highest. */
  {
    name: 'set-up',
    args: [
      QUEUE,
      { name: 'phases', least: 0, most: 511, plain: 511, edges: [255, 510] },
      { name: 'reversed', least: 0, most: 1, plain: 0, words: ['no', 'yes'] },
    ],
  },
  /** The driver looks at the used rings and takes what is there. */
  { name: 'reap', args: [] },
  /** Pages of the legacy window's queue address register. */
  {
    name: 'legacy-frame',
    args: [QUEUE, { name: 'frame', least: 0, most: U32, plain: 0, edges: [0, 1, 0x8000, 0xf_ffff, U32] }],
  },
  /** The canary's planted fault: the run fails on purpose. */
  { name: 'fail', args: [] },
  /** Stores into the driver's rings or its pool of buffers, in the byte order of the rings: what a request says, and lies in rings. */
  {
    name: 'poke',
    args: [
      POKED,
      { name: 'offset', least: 0, most: 0x1_ffff, plain: 0, edges: [0, 2, 8, 12, 16, 256, 4096] },
      { ...WIDTH, most: 2, words: ['1', '2', '4'] },
      VALUE,
    ],
  },
  /** Looks at what lies there. */
  {
    name: 'peek',
    args: [
      POKED,
      { name: 'offset', least: 0, most: 0x1_ffff, plain: 0, edges: [0, 2, 16, 256, 4096] },
      { ...WIDTH, most: 2, words: ['1', '2', '4'] },
    ],
  },
  /** Gives the function in the next slot its registers, 64 KiB behind the device's own. */
  { name: 'neighbour', args: [] },
  /** The device lies to a driver of another make, which lives its whole life on it. */
  {
    name: 'lie',
    args: [
      { name: 'which', least: 0, most: LIES.length - 1, plain: 0, words: LIES.map((row) => row.name) },
      { ...VALUE, name: 'word' },
    ],
  },
  /** A block request of any type: header, data one way or the other, status. */
  {
    name: 'blk-request',
    args: [
      {
        name: 'type',
        least: 0,
        most: U32,
        plain: 0,
        edges: [0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 13, 14, 15, 16, 18, 26, 0x8000_0000, 0x8000_0001],
      },
      SECTOR,
      {
        name: 'bytes',
        least: 0,
        most: 8192,
        plain: 512,
        edges: [0, 1, 15, 16, 17, 20, 32, 511, 512, 513, 4096],
      },
      WAY,
      { name: 'count', least: 0, most: U32, plain: 1, edges: [0, 1, 128, 129, 0x3f_ffff, 0x40_0000, U32] },
      { name: 'flags', least: 0, most: U32, plain: 0, edges: [0, 1, 2, 3, 0x8000_0000] },
    ],
  },
  /** A SCSI command on the first command queue. */
  {
    name: 'scsi-command',
    args: [
      {
        name: 'opcode',
        least: 0,
        most: 255,
        plain: 0x28,
        edges: [
          0x00, 0x03, 0x08, 0x0a, 0x12, 0x15, 0x1a, 0x1b, 0x25, 0x28, 0x2a, 0x2f, 0x35, 0x41, 0x42, 0x43,
          0x55, 0x5a, 0x88, 0x8a, 0x93, 0x9e, 0xa0, 0xa8, 0xaa,
        ],
      },
      { name: 'flags', least: 0, most: 255, plain: 0, edges: [0, 1, 8, 0x10] },
      SECTOR,
      { name: 'count', least: 0, most: U16, plain: 1, edges: [0, 1, 8, 36, 96, 128, 129, 255, U16] },
      {
        name: 'bytes',
        least: 0,
        most: 8192,
        plain: 512,
        edges: [0, 8, 18, 36, 96, 255, 511, 512, 1024, 4096],
      },
      WAY,
      { name: 'lun', least: 0, most: 16_383, plain: 0, edges: [0, 1, 255, 256, 16_383] },
      { name: 'target', least: 0, most: 255, plain: 0, edges: [0, 1, 255] },
    ],
  },
  /** Task management about the read that is sent just before, by every command's tag. */
  {
    name: 'scsi-task',
    args: [
      { name: 'subtype', least: 0, most: U32, plain: 0, edges: [0, 1, 2, 3, 4, 5, 6, 7, 8] },
      { name: 'lun', least: 0, most: 16_383, plain: 0, edges: [0, 1] },
    ],
  },
  /** The network device from reset to DRIVER_OK with its control queue, and eight buffers to receive into. */
  {
    name: 'net-open',
    args: [
      {
        name: 'low',
        least: 0,
        most: U32,
        plain: 0x00b7_8020,
        edges: [0, 0x20, 0x00bf_8024, 0x00bf_ffa7, U32],
      },
      { name: 'high', least: 0, most: U32, plain: 0, edges: [0, 0x0200_0000, 0x1200_0000, 0x2000_0000] },
      { name: 'buffer', least: 1, most: 4096, plain: 1600, edges: [10, 12, 20, 64, 1526, 2048] },
    ],
  },
  /** A command on the control queue. */
  {
    name: 'net-command',
    args: [
      { name: 'class', least: 0, most: 255, plain: 0, edges: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
      { name: 'command', least: 0, most: 255, plain: 0, edges: [0, 1, 2, 3, 4, 5, 6] },
      { ...VALUE, edges: [0, 1, 2, 3, 5, 0x82, 0xfff, 0x1000, 0x11ff, 0x33ff, 0x8000, U16, U32] },
      { name: 'shape', least: 0, most: 5, plain: 0, words: [...COMMAND_SHAPES] },
    ],
  },
  /** A frame behind a header. */
  {
    name: 'net-send',
    args: [
      { name: 'flags', least: 0, most: 255, plain: 0, edges: [0, 1, 2, 4, 8, 0x80] },
      { name: 'gso', least: 0, most: 255, plain: 0, edges: [0, 1, 3, 4, 5, 0x21, 0x81] },
      { name: 'hdrLen', least: 0, most: U16, plain: 54, edges: [0, 42, 54, U16] },
      { name: 'gsoSize', least: 0, most: U16, plain: 0, edges: [0, 1, 8, 536, 1460, U16] },
      { name: 'csumStart', least: 0, most: U16, plain: 34, edges: [0, 34, 54, U16] },
      { name: 'csumOffset', least: 0, most: U16, plain: 16, edges: [0, 6, 16, U16] },
      { name: 'payload', least: 0, most: 4000, plain: 40, edges: [0, 40, 1460, 1461, 4000] },
      { name: 'udp', least: 0, most: 1, plain: 0, words: ['no', 'yes'] },
    ],
  },
  /** A frame from the wire that filters are about. */
  {
    name: 'net-wire',
    args: [
      { name: 'to', least: 0, most: 3, plain: 0, words: ['own', 'other', 'group', 'all'] },
      { name: 'vlan', least: 0, most: 4095, plain: 0, edges: [0, 1, 2, 3, 5, 4095] },
      { name: 'payload', least: 0, most: 4000, plain: 40, edges: [0, 40, 1460, 1461, 4000] },
      { name: 'udp', least: 0, most: 1, plain: 0, words: ['no', 'yes'] },
    ],
  },
  /** What an operator tells the machine: the link of the network device, or how a balloon's guest fares; or it takes a port away. */
  {
    name: 'host-order',
    args: [
      {
        name: 'which',
        least: 0,
        most: 4,
        plain: 0,
        words: ['link-down', 'link-up', 'announce', 'statistics', 'unplug'],
      },
    ],
  },
  /** A console's driver says something. */
  {
    name: 'control-message',
    args: [
      { name: 'id', least: 0, most: U32, plain: 0, edges: [0, 1, 2, 31, U32] },
      { name: 'event', least: 0, most: U16, plain: 0, edges: [0, 1, 2, 3, 4, 5, 6, 7, 8] },
      { name: 'value', least: 0, most: U16, plain: 1, edges: [0, 1] },
      { name: 'bytes', least: 1, most: 4096, plain: 8, edges: [1, 7, 8, 9], rare: true },
    ],
  },
  /** The host sends bytes to a console (0) or a port (1). */
  {
    name: 'host-bytes',
    args: [
      { name: 'end', least: 0, most: 1, plain: 0, words: ['console', 'port'] },
      { name: 'length', least: 1, most: 9000, plain: 1, edges: [1, 4095, 4096, 4097] },
      { name: 'fill', least: 0, most: 255, plain: 0 },
    ],
  },
  /** The host acts on a console, a port or a balloon. */
  {
    name: 'monitor-order',
    args: [
      {
        name: 'order',
        least: 0,
        most: HOST_ORDERS.length - 1,
        plain: 0,
        words: HOST_ORDERS.map((order) => order.name),
      },
      VALUE,
    ],
  },
  /** A list of page numbers for a balloon. */
  {
    name: 'balloon-pages',
    args: [
      QUEUE,
      {
        name: 'first',
        least: 0,
        most: U32,
        plain: 0x400,
        // Free RAM, the driver's own rings and buffers, the end of RAM, and what is no memory at all.
        edges: [0x400, 0x480, 0x100, 0x200, 0xffff, 0x1_0000, 0x8_0000, U32],
      },
      { name: 'stride', least: 0, most: 0x1000, plain: 1, edges: [0, 1, 16] },
      { name: 'count', least: 1, most: 256, plain: 1, edges: [1, 15, 16, 17, 256] },
      { name: 'odd', least: 0, most: 3, plain: 0 },
    ],
  },
  /** A statistics buffer for a balloon. */
  {
    name: 'statistics',
    args: [
      { name: 'tag', least: 0, most: U16, plain: 0, edges: [0, 5, 9, 10, U16] },
      { name: 'count', least: 0, most: 64, plain: 10, edges: [0, 1, 10] },
      { name: 'odd', least: 0, most: 9, plain: 0 },
    ],
  },
  /** A command of free page hinting, with or without hints behind it. */
  {
    name: 'hint-command',
    args: [
      {
        name: 'id',
        least: 0,
        most: U32,
        plain: 0,
        edges: [0, 1, 2, 0x8000_0000, 0x8000_0001, 0x8000_0002, U32],
      },
      { name: 'hints', least: 0, most: 4, plain: 0 },
    ],
  },
];

/** Rows by name, with the wider type that loops want. */
export const STEP_ROWS: ReadonlyMap<string, StepRow> = new Map(
  STEPS.map((row): [string, StepRow] => [row.name, row]),
);

export function stepRow(name: StepName): StepRow {
  const row = STEP_ROWS.get(name);
  if (row === undefined) throw new Error(`no step is called ${name}`);
  return row;
}

/** A step with the plain value of every argument that is not given. */
export function step(
  name: StepName,
  given: Readonly<Record<string, number>> = {},
  carried: { readonly chain?: Chain; readonly ring?: RingShape } = {},
): Step {
  const row = stepRow(name);
  const args = row.args.map((argument) => given[argument.name] ?? argument.plain);
  return { name, args, chain: carried.chain, ring: carried.ring };
}
