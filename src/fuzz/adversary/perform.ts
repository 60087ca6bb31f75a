import type { Element, Step } from '../case.ts';
import {
  blockHeader,
  commandBlock,
  SCSI_COMMAND_QUEUE,
  SCSI_CONTROL_QUEUE,
  SCSI_RESPONSE_BYTES,
  scsiCommand,
  scsiTask,
  segments,
} from './disk-commands.ts';
import type { Driver } from './driver.ts';
import { COMMAND_SHAPES, NET_CONTROL_QUEUE, netCommand, netFrame, netHeader } from './net-commands.ts';
import { commandId, controlMessage, HOST_ORDERS, pageList, statistics } from './host-orders.ts';

/** What a step may reach besides the driver. */
export interface Stage {
  readonly driver: Driver;
  advance(ticks: number): void;
  idle(): void;
  setLittleEndian(little: boolean): void;
  load(address: number, width: 1 | 2 | 4): number;
  store(address: number, width: 1 | 2 | 4, value: number): void;
  load64(address: number): void;
  store64(address: number, value: number): void;
  storeList(address: number, entries: number, first: number): void;
  hostFrame(length: number, fill: number): void;
  /** Bytes that come in by the network end. */
  hostBytes(bytes: Uint8Array): void;
  /** `which`: 0 … 2 are orders to a network end, 3 asks for a balloon's statistics, 4 takes a port away. */
  hostOrder(which: number): void;
  /** To a console's end, 0, or a port's, 1. */
  chardevBytes(end: number, length: number, fill: number): void;
  /** A line to the monitor. */
  tellMonitor(text: string): void;
  /** A driver of another make lives on the device while it tells a lie of the table. A sentence if that does harm. */
  lie(which: number, word: number): string;
  /** What the driver saw of a register or a byte it looked at. */
  see(value: number): void;
}

/**
 * How far a step leaves the driver in the right: an honest request, something that an honest guest may do at any time, or
 * a fault, after which nothing is promised until the device is set up again.
 */
export type Standing = 'honest' | 'harmless' | 'fault';

/** Queues of a console and of a balloon. */
const CONTROL_OUT = 3;
const STATISTICS = 2;
const HINTS = 3;
const TICKS_PER_MICROSECOND = 512;
const H_PUT_TCE = 0x20;
const H_STUFF_TCE = 0x138;
const H_PUT_TCE_INDIRECT = 0x13c;
const H_GET_TCE = 0x1c;
const LIST = 0x2_8000;
const BEYOND = 0x7000_0000;
const TWO_32 = 2 ** 32;
/** A window of more entries than this would cost the host more than a case is worth. */
const WINDOW_BITS_MAX = 18;
const WIDTHS: readonly (1 | 2 | 4)[] = [1, 2, 4];

/** Does what a step says. A sentence if an honest request went wrong; empty otherwise. */
export function perform(stage: Stage, step: Step): string {
  const { driver } = stage;
  const { calls } = driver;
  const a = step.args[0] ?? 0;
  const b = step.args[1] ?? 0;
  const c = step.args[2] ?? 0;
  const d = step.args[3] ?? 0;
  switch (step.name) {
    case 'request':
      return driver.request(a, b, c, d);
    case 'submit':
      if (step.chain !== undefined) driver.submit(a, step.chain, b, c, d);
      if ((step.args[4] ?? 0) === 1) driver.notify(a);
      stage.idle();
      break;
    case 'ring':
      if (step.ring !== undefined) driver.writeRing(a, step.ring);
      if (b === 1) driver.notify(a);
      stage.idle();
      break;
    case 'scribble':
      driver.scribble(a, b, c, d);
      break;
    case 'notify':
      driver.notifyValue(a, b, WIDTHS[c] ?? 2);
      stage.idle();
      break;
    case 'tce-put':
      put(driver, a, b, c, d);
      break;
    case 'tce-stuff':
      prepare(driver, a, b, driver.target(0) + d);
      calls.argument(4, 0, c);
      calls.go(H_STUFF_TCE);
      break;
    case 'tce-indirect':
      stage.storeList(LIST, Math.min(c, 512), driver.target(0) + d);
      prepare(driver, a, b, step.args[4] === 2 ? BEYOND : LIST + (step.args[4] === 1 ? 8 : 0));
      calls.argument(4, 0, c);
      calls.go(H_PUT_TCE_INDIRECT);
      break;
    case 'tce-get':
      prepare(driver, a, b, 0);
      calls.go(H_GET_TCE);
      break;
    case 'remap':
      driver.remap(a, b, c, d === 1);
      break;
    case 'ddw-query':
      window(driver, 'ibm,query-pe-dma-window', a, []);
      break;
    case 'ddw-create':
      window(driver, 'ibm,create-pe-dma-window', 4, [a, Math.min(b, a + WINDOW_BITS_MAX)]);
      break;
    case 'ddw-remove':
      calls.rtas(calls.token('ibm,remove-pe-dma-window'), 1, [driver.liobn + a]);
      break;
    case 'ddw-reset':
      window(driver, 'ibm,reset-pe-dma-window', 1, []);
      break;
    case 'config-read':
      stage.see(calls.configRead(driver.devfn, a, width8(b)));
      break;
    case 'config-write':
      calls.configWrite(driver.devfn, a, width8(b), c);
      break;
    case 'register-read':
      registerRead(stage, a, b, c);
      break;
    case 'register-write':
      registerWrite(stage, a, b, c, d);
      break;
    case 'status':
      driver.writeStatus(a);
      break;
    case 'features':
      writeFeatures(stage, a, b);
      break;
    case 'reset-queue':
      resetQueue(stage, a, b);
      break;
    case 'recover':
      return driver.recover();
    case 'advance':
      stage.advance(a * TICKS_PER_MICROSECOND);
      break;
    case 'idle':
      stage.idle();
      break;
    case 'host-frame':
      stage.hostFrame(a, b);
      stage.idle();
      break;
    case 'hcall':
      calls.hcall(a, b, c);
      break;
    case 'byte-order':
      stage.setLittleEndian(a === 1);
      break;
    case 'set-up':
      setUpInPart(stage, a, b, c === 1);
      break;
    case 'reap':
      driver.reap(0);
      break;
    case 'legacy-frame':
      if (driver.legacyPort >= 0) {
        driver.portWrite(14, 2, a);
        driver.portWrite(8, 4, b);
      }
      break;
    case 'poke':
      driver.poke(a, b, WIDTHS[c] ?? 4, d);
      break;
    case 'peek':
      stage.see(driver.peek(a, b, WIDTHS[c] ?? 4));
      break;
    case 'neighbour':
      driver.openNeighbour();
      break;
    case 'lie':
      return stage.lie(a, b);
    case 'blk-request':
      askBlock(driver, step.args);
      stage.idle();
      break;
    case 'scsi-command':
      askScsi(driver, step.args);
      stage.idle();
      break;
    case 'scsi-task':
      // A read that task management finds on its way.
      askScsi(driver, READ_IN_FLIGHT);
      driver.offer(SCSI_CONTROL_QUEUE, [scsiTask(driver.littleEndianRings, a, 0, b)], [1]);
      stage.idle();
      break;
    case 'net-open':
      openNet(driver, a, b, c);
      stage.idle();
      break;
    case 'net-command': {
      const command = netCommand(driver.littleEndianRings, a, b, c, d);
      driver.offer(NET_CONTROL_QUEUE, [command], COMMAND_SHAPES[d] === 'no-ack' ? [] : [1]);
      stage.idle();
      break;
    }
    case 'net-send': {
      const header = netHeader(driver.littleEndianRings, driver.netHeaderBytes, step.args);
      driver.offer(1, [header, netFrame(1, 0, step.args[6] ?? 0, step.args[7] === 1, (a & 1) === 1)], []);
      stage.idle();
      break;
    }
    case 'net-wire': {
      const header = new Uint8Array(driver.hostHeaderBytes);
      stage.hostBytes(Uint8Array.from([...header, ...netFrame(a, b, c, d === 1, false)]));
      stage.idle();
      break;
    }
    case 'host-order':
      stage.hostOrder(a);
      stage.idle();
      break;
    case 'control-message':
      driver.offer(CONTROL_OUT, [controlMessage(driver.littleEndianRings, a, b, c, d)], []);
      stage.idle();
      break;
    case 'host-bytes':
      stage.chardevBytes(a, b, c);
      stage.idle();
      break;
    case 'monitor-order':
      stage.tellMonitor(HOST_ORDERS[a]?.text(b) ?? '');
      stage.idle();
      break;
    case 'balloon-pages':
      driver.offer(a, [pageList(driver.littleEndianRings, b, c, d, step.args[4] ?? 0)], []);
      stage.idle();
      break;
    case 'statistics':
      driver.offer(
        STATISTICS,
        [statistics(driver.littleEndianRings, a, b, Math.max(c, b === 0 ? 1 : 0))],
        [],
      );
      stage.idle();
      break;
    case 'hint-command':
      driver.offer(
        HINTS,
        [commandId(driver.littleEndianRings, a)],
        Array.from({ length: b }, () => 4096),
      );
      stage.idle();
      break;
    case 'fail':
      return 'the canary fails on purpose';
  }
  return '';
}

const NET_BUFFERS = 8;

function openNet(driver: Driver, low: number, high: number, buffer: number): void {
  if (driver.openNet(low, high) !== '') return;
  for (let i = 0; i < NET_BUFFERS; i++) driver.offer(0, [], [buffer]);
}

/** Types whose data are segments. */
const SEGMENT_TYPES: ReadonlySet<number> = new Set([11, 13, 14]);
/** READ (10) of block 64, as `scsi-command` has its arguments. */
const READ_IN_FLIGHT: readonly number[] = [0x28, 0, 64, 1, 512, 2, 0, 0];

function askBlock(driver: Driver, args: readonly number[]): void {
  const [type = 0, sector = 0, bytes = 0, way = 0, count = 0, flags = 0] = args;
  const little = driver.littleEndianRings;
  const readable = [blockHeader(little, type, sector)];
  if (way === 1 && bytes > 0) {
    readable.push(
      SEGMENT_TYPES.has(type)
        ? segments(little, bytes, sector, count, flags)
        : new Uint8Array(bytes).fill(type + 1),
    );
  }
  driver.offer(0, readable, way === 2 && bytes > 0 ? [bytes, 1] : [1]);
}

function askScsi(driver: Driver, args: readonly number[]): void {
  const [opcode = 0, flags = 0, block = 0, count = 0, bytes = 0, way = 0, lun = 0, target = 0] = args;
  const readable = [scsiCommand(target, lun, commandBlock(opcode, flags, block, count))];
  if (way === 1 && bytes > 0) readable.push(new Uint8Array(bytes).fill(opcode));
  const writable = way === 2 && bytes > 0 ? [SCSI_RESPONSE_BYTES, bytes] : [SCSI_RESPONSE_BYTES];
  driver.offer(SCSI_COMMAND_QUEUE, readable, writable);
}

const HARMLESS: ReadonlySet<string> = new Set([
  'tce-get',
  'ddw-query',
  'config-read',
  'advance',
  'idle',
  'reap',
  'peek',
]);

export function standing(step: Step): Standing {
  if (step.name === 'request' || step.name === 'recover' || step.name === 'fail') return 'honest';
  return HARMLESS.has(step.name) ? 'harmless' : 'fault';
}

/**
 * Steps that the books of a watcher cannot follow: BARs that move, byte orders that change, and a device that is pointed at
 * its own registers and so writes them behind the driver's back.
 */
export function losesTrack(step: Step): boolean {
  if (step.name === 'config-write' || step.name === 'byte-order' || step.name === 'lie') return true;
  if (step.name === 'tce-put') return step.args[2] === OWN_BAR_TARGET;
  if (step.chain !== undefined) return step.chain.elements.some(isOwnBar);
  return (
    step.ring?.chains.some((links) =>
      links.some((link) => link.element !== undefined && isOwnBar(link.element)),
    ) === true
  );
}

/** Steps after which the function's configuration may not be what the driver wrote. */
export function doubtsConfig(step: Step): boolean {
  return step.name === 'config-write' || step.name === 'hcall' || step.name === 'lie';
}

/** Steps after which windows or entries may not be what the driver put. */
export function doubtsMap(step: Step): boolean {
  return (
    step.name === 'hcall' ||
    step.name === 'remap' ||
    step.name === 'lie' ||
    step.name.startsWith('tce-') ||
    step.name.startsWith('ddw-')
  );
}

const OWN_BAR_TARGET = 3;

function isOwnBar(element: Element): boolean {
  return element.place === 'own-bar';
}

function put(driver: Driver, window_: number, page: number, target: number, permission: number): void {
  const real = driver.target(target);
  prepare(driver, window_, page, real + permission);
  if (target === 4) driver.calls.argument(3, 0xffff_ffff, 0xffff_fffc + permission);
  driver.calls.go(H_PUT_TCE);
}

/** LIOBN, I/O bus address and TCE of the call to come. */
function prepare(driver: Driver, window_: number, page: number, tce: number): void {
  const at = driver.windowPage(window_, page);
  driver.calls.argument(1, 0, driver.liobn + window_);
  driver.calls.argument(2, Math.floor(at / TWO_32), at >>> 0);
  driver.calls.argument(3, Math.floor(tce / TWO_32), tce >>> 0);
}

function window(driver: Driver, name: string, results: number, more: readonly number[]): void {
  const { bridge } = driver;
  driver.calls.rtas(driver.calls.token(name), results, [
    driver.devfn << 8,
    bridge.buidHigh,
    bridge.buidLow,
    ...more,
  ]);
}

function width8(index: number): number {
  return 1 << index;
}

function registerRead(stage: Stage, region: number, offset: number, width: number): void {
  const base = stage.driver.region(region);
  if (base === 0) return;
  if (width === 3) stage.load64(base + inRegion(region, offset));
  else stage.see(stage.load(base + inRegion(region, offset), WIDTHS[width] ?? 4));
}

function registerWrite(stage: Stage, region: number, offset: number, width: number, value: number): void {
  const base = stage.driver.region(region);
  if (base === 0) return;
  if (width === 3) stage.store64(base + inRegion(region, offset), value);
  else stage.store(base + inRegion(region, offset), WIDTHS[width] ?? 4, value);
  stage.idle();
}

/** The structures are 4 KiB each, and what is interesting stands at their start. */
function inRegion(region: number, offset: number): number {
  return region === 0 ? offset & 0x3f : offset & 0xfff;
}

function writeFeatures(stage: Stage, select: number, value: number): void {
  const { driver } = stage;
  if (driver.traits.legacy) {
    driver.portWrite(4, 4, value);
    return;
  }
  stage.store(driver.common + 8, 4, select);
  stage.store(driver.common + 12, 4, value);
}

function resetQueue(stage: Stage, queue: number, value: number): void {
  const { driver } = stage;
  if (driver.traits.legacy) return;
  stage.store(driver.common + 0x16, 2, queue);
  stage.store(driver.common + 0x3a, 2, value);
}

/** The phases of a modern set-up in either direction, each one or none: what order and omission do. */
function setUpInPart(stage: Stage, queue: number, phases: number, reversed: boolean): void {
  const { driver } = stage;
  if (driver.traits.legacy) return;
  const { common } = driver;
  for (let i = 0; i < 9; i++) {
    const phase = reversed ? 8 - i : i;
    if ((phases & (1 << phase)) === 0) continue;
    if (phase === 0) driver.writeStatus(0);
    else if (phase === 1) driver.writeStatus(1);
    else if (phase === 2) driver.writeStatus(3);
    else if (phase === 3) stage.store(common + 0x16, 2, queue);
    else if (phase === 4) stage.store(common + 0x18, 2, 16);
    else if (phase === 5) writeRings(stage, queue);
    else if (phase === 6) stage.store(common + 0x1c, 2, 1);
    else if (phase === 7) driver.writeStatus(0xb);
    else driver.writeStatus(0xf);
  }
  driver.notify(queue);
  stage.idle();
}

function writeRings(stage: Stage, queue: number): void {
  const { common } = stage.driver;
  for (let area = 0; area < 3; area++) {
    const at = stage.driver.ringAddress(queue, area);
    stage.store(common + 0x20 + 8 * area, 4, at);
    stage.store(common + 0x24 + 8 * area, 4, 0);
  }
}
