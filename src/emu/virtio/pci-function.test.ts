import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { DiagnosticLog } from '../core/diagnostics.ts';
import { EventQueue } from '../core/event-queue.ts';
import { Digest } from '../core/digest.ts';
import { StateHasher, StateLoader, StateSaver } from '../core/state.ts';
import { TapLine } from '../core/tap-line.ts';
import { AddressSpace } from '../memory/address-space.ts';
import { BounceBuffer } from '../memory/bounce-buffer.ts';
import { DmaSpace } from '../memory/dma-space.ts';
import { PagedMemory } from '../memory/guest-memory.ts';
import type { PciBus } from '../pci/function.ts';
import type { ExpressOptions } from '../pci/express.ts';
import { VirtioCore, type CoreParts } from './core.ts';
import { VirtioPciFunction, type VirtioPciSettings } from './pci-function.ts';

const VERSION_1 = 1n << 32n;
const BAD_FEATURE = 1n << 30n;
const LEGACY_BASE = 0x10_0000_1000;
const MODERN_BASE = 0x20_0000_0000;
const MSIX_BASE = 0x30_0000_0000;

/** The smallest device: two queues of 8, eight bytes of configuration that a driver may write. */
class Plain extends VirtioCore {
  readonly virtioId = 4;
  readonly name = 'virtio-plain';
  readonly legacyFeatures = BAD_FEATURE;
  served = 0;

  constructor(parts: CoreParts) {
    super(parts, 8);
    this.addQueue(8);
    this.addQueue(8);
  }

  offer(features: bigint): bigint {
    return features;
  }

  interrupt(queue: number): void {
    this.isr |= 1;
    this.notifyVector(this.queueVector(queue));
  }

  protected override resetting(): void {
    this.config.fill(0);
  }

  protected service(): void {
    this.served++;
  }
}

class Stand implements PciBus {
  cpuOrder: 'little' | 'big' = 'big';
  level = false;
  readonly messages: number[] = [];
  readonly log: DiagnosticLog = new DiagnosticLog();
  readonly space: AddressSpace = new AddressSpace(this.log);
  readonly function: VirtioPciFunction;
  device!: Plain;

  constructor(changes: Partial<VirtioPciSettings> = {}) {
    const settings: VirtioPciSettings = {
      devfn: 8,
      typeName: 'virtio-plain-pci',
      classCode: 0x00ff,
      transitionalId: 0x1005,
      legacy: true,
      modern: true,
      vectors: 3,
      pagePerQueue: false,
      pioNotify: false,
      disablesWithoutBusMaster: true,
      multifunction: false,
      romBytes: 0,
      express: undefined,
      ...changes,
    };
    const events = new EventQueue();
    const memory = new PagedMemory(0x10000);
    this.function = new VirtioPciFunction(
      settings,
      this,
      (transport) => {
        const device = new Plain({ events, diagnostics: this.log, useStarted: true, ioeventfd: false });
        device.hostFeatures = BAD_FEATURE | (settings.modern ? VERSION_1 : 0n);
        device.plug(
          transport,
          new DmaSpace({
            memory,
            system: this.space,
            bounce: new BounceBuffer(),
            diagnostics: this.log,
            line: new TapLine(events),
            requester: 8,
            bus: undefined,
          }),
        );
        this.device = device;
        return device;
      },
      this.log,
    );
    this.function.reset();
    for (const [index, base] of [
      [0, LEGACY_BASE],
      [1, MSIX_BASE],
      [4, MODERN_BASE],
    ] as const) {
      const bar = this.function.bars.find((one) => one.index === index);
      if (bar !== undefined) this.space.map(base, bar.region);
    }
    this.function.configWrite(4, 2, 7);
  }

  setIntx(_devfn: number, asserted: boolean): void {
    this.level = asserted;
  }

  sendMessage(_devfn: number, _address: bigint, data: number): void {
    this.messages.push(data);
  }

  remapped(): void {}

  common(offset: number, width: 1 | 2 | 4): number {
    return this.space.read(MODERN_BASE + offset, width, false);
  }

  setCommon(offset: number, width: 1 | 2 | 4, value: number): void {
    this.space.write(MODERN_BASE + offset, width, value, false);
  }

  capability(id: number): number {
    let at = this.function.configRead(0x34, 1);
    while (at !== 0 && this.function.configRead(at, 1) !== id) at = this.function.configRead(at + 1, 1);
    return at;
  }

  digest(): string {
    const digest = new Digest();
    this.function.exchange(new StateHasher(digest));
    return digest.hex();
  }
}

test('identity tells the mode: transitional, legacy and modern-only', (t) => {
  const ids = (stand: Stand): number[] =>
    [0, 0x2c].map((at) => stand.function.configRead(at, 4)).concat(stand.function.configRead(8, 1));
  t.deepEqual(ids(new Stand()), [0x10051af4, 0x00041af4, 0]);
  t.deepEqual(ids(new Stand({ modern: false })), [0x10051af4, 0x00041af4, 0]);
  t.deepEqual(ids(new Stand({ legacy: false })), [0x10441af4, 0x11001af4, 1]);
});

test('a register answers at its own offset only, whatever the width', (t) => {
  const stand = new Stand();
  stand.setCommon(0x16, 2, 1);
  t.is(stand.common(0x18, 4), 8);
  t.is(stand.common(0x19, 1), 0);
  stand.setCommon(0x00, 1, 0xff);
  t.is(stand.common(0x00, 4), 0xff);
  stand.setCommon(0x16, 2, 1024);
  t.is(stand.common(0x16, 2), 1);
});

test('queue_enable takes 1 and nothing else', (t) => {
  const stand = new Stand();
  stand.setCommon(0x20, 4, 0x1000);
  stand.setCommon(0x1c, 2, 1);
  t.is(stand.common(0x1c, 2), 1);
  stand.setCommon(0x1c, 2, 0);
  t.true(stand.device.broken);
  t.deepEqual(stand.log.lines, ['qemu-system-ppc64: wrong value for queue_enable 0']);
});

test('queue_reset keeps the addresses, a device reset does not; feature words outlive both', (t) => {
  const stand = new Stand();
  stand.setCommon(0x0c, 4, 0x5);
  stand.setCommon(0x20, 4, 0x1000);
  stand.setCommon(0x1c, 2, 1);
  stand.setCommon(0x3a, 2, 1);
  t.deepEqual([stand.common(0x1c, 2), stand.common(0x20, 4)], [0, 0x1000]);
  stand.setCommon(0x14, 1, 0);
  t.deepEqual([stand.common(0x20, 4), stand.common(0x0c, 4)], [0, 0x5]);
});

test('a vector register takes a vector of the table or reads back none', (t) => {
  const stand = new Stand();
  stand.setCommon(0x10, 2, 2);
  t.is(stand.common(0x10, 2), 2);
  stand.setCommon(0x10, 2, 3);
  t.is(stand.common(0x10, 2), 0xffff);
});

test('without MSI-X the line follows ISR bit 0, with it a message goes out', (t) => {
  const stand = new Stand();
  stand.device.interrupt(0);
  t.true(stand.level);
  t.is(stand.function.configRead(6, 2) & 8, 8);
  t.is(stand.space.read(MODERN_BASE + 0x1000, 1, false), 1);
  t.false(stand.level);
  stand.function.configWrite(stand.capability(17) + 2, 2, 0x8000);
  stand.function.setMsixMessage(1, 0x40000000000n, 0x1301);
  stand.setCommon(0x1a, 2, 1);
  stand.device.interrupt(0);
  t.false(stand.level);
  t.deepEqual(stand.messages, [0x1301]);
});

test('INTX_DISABLE holds the line down and lets it rise again', (t) => {
  const stand = new Stand();
  stand.function.configWrite(4, 2, 0x0407);
  stand.device.interrupt(0);
  t.false(stand.level);
  stand.function.configWrite(4, 2, 7);
  t.true(stand.level);
});

test('losing bus mastering disables the device and takes DRIVER_OK back', (t) => {
  const stand = new Stand();
  stand.setCommon(0x14, 1, 7);
  stand.function.configWrite(4, 2, 3);
  t.true(stand.device.disabled);
  t.is(stand.common(0x14, 1), 3);
  stand.function.configWrite(4, 2, 7);
  t.false(stand.device.disabled);
});

test('legacy: device configuration moves when MSI-X goes on, status 3 enables mastering, frame 0 resets', (t) => {
  const stand = new Stand();
  t.is(stand.space.read(LEGACY_BASE + 20, 2, false), 0);
  stand.function.configWrite(stand.capability(17) + 2, 2, 0x8000);
  t.is(stand.space.read(LEGACY_BASE + 20, 2, false), 0xffff);
  stand.function.configWrite(4, 2, 3);
  stand.space.write(LEGACY_BASE + 18, 1, 3, false);
  t.true(stand.function.busMaster);
  stand.cpuOrder = 'little';
  stand.space.write(LEGACY_BASE + 8, 4, 0, false);
  t.is(stand.device.status, 0);
  t.is(stand.device.order, 'little');
});

test('the access capability reaches the structures by offset, and nothing for other lengths', (t) => {
  const stand = new Stand();
  const at = 0x84;
  t.is(stand.function.configRead(at + 3, 1), 5);
  stand.function.configWrite(at + 8, 4, 0x18);
  stand.function.configWrite(at + 12, 4, 2);
  t.is(stand.function.configRead(at + 16, 4), 8);
  stand.function.configWrite(at + 8, 4, 0x14);
  stand.function.configWrite(at + 12, 4, 1);
  stand.function.configWrite(at + 16, 4, 1);
  t.is(stand.device.status, 1);
  stand.function.configWrite(at + 12, 4, 3);
  t.is(stand.function.configRead(at + 16, 4), 1);
});

test('each queue has its own notification address; the I/O BAR takes the number', (t) => {
  const stand = new Stand({ pioNotify: true });
  stand.setCommon(0x16, 2, 1);
  stand.setCommon(0x20, 4, 0x1000);
  stand.setCommon(0x28, 4, 0x2000);
  stand.setCommon(0x30, 4, 0x3000);
  stand.setCommon(0x1c, 2, 1);
  stand.space.write(MODERN_BASE + 0x3000, 2, 1, false);
  t.is(stand.device.served, 0);
  stand.space.write(MODERN_BASE + 0x3004, 2, 0, false);
  t.is(stand.device.served, 1);
  const pio = stand.function.bars.find((bar) => bar.index === 2);
  pio?.region.write(0, 2, 1);
  t.is(stand.device.served, 2);
});

const EXPRESS: ExpressOptions = {
  extendedCapabilities: true,
  deviceErrors: true,
  linkControl: true,
  powerManagement: true,
  functionReset: true,
  aer: false,
  ats: false,
  atsPageAligned: true,
};

test('behind an Express port: 4096 bytes, Express and power management, and a reset by register', (t) => {
  const stand = new Stand({ legacy: false, express: EXPRESS });
  t.is(stand.function.configBytes, 4096);
  const express = stand.capability(16);
  t.is(stand.function.configRead(express + 2, 2), 0x0002);
  t.is(stand.function.configRead(express + 4, 4) & 0x10000000, 0x10000000);
  t.not(stand.capability(1), 0);
  t.is(stand.function.configRead(0x100, 4), 0);
  stand.setCommon(0x14, 1, 1);
  stand.function.configWrite(express + 8, 2, 0x8000);
  t.is(stand.device.status, 0);
  t.is(stand.function.configRead(express + 8, 2), 0);
});

const MODES = [{}, { modern: false }, { legacy: false, pagePerQueue: true }, { vectors: 0, pioNotify: true }];
const WIDTHS = [1, 2, 4] as const;

const steps = fc.array(
  fc.record({
    place: fc.constantFrom('config', 'legacy', 'modern', 'msix'),
    offset: fc.oneof(fc.nat(0x40), fc.nat(0x3fff)),
    width: fc.constantFrom(...WIDTHS),
    value: fc.oneof(fc.nat(8), fc.nat(0xffff), fc.nat(0xffffffff)),
    write: fc.boolean(),
    big: fc.boolean(),
  }),
  { maxLength: 60 },
);

interface Step {
  readonly place: string;
  readonly offset: number;
  readonly width: 1 | 2 | 4;
  readonly value: number;
  readonly write: boolean;
  readonly big: boolean;
}

const BASES: Readonly<Record<string, number>> = { legacy: LEGACY_BASE, modern: MODERN_BASE, msix: MSIX_BASE };

function run(stand: Stand, list: readonly Step[]): number[] {
  const seen: number[] = [];
  for (const { place, offset, width, value, write, big } of list) {
    if (place === 'config') {
      const at = (offset % 256) & ~(width - 1);
      if (write) stand.function.configWrite(at, width, value);
      else seen.push(stand.function.configRead(at, width));
    } else if (write) stand.space.write((BASES[place] ?? 0) + offset, width, value, big);
    else seen.push(stand.space.read((BASES[place] ?? 0) + offset, width, big));
  }
  return seen;
}

prop('no access throws, and every value read fits its width', [fc.nat(3), steps], (mode, list) => {
  const stand = new Stand(MODES[mode]);
  const reads = list.filter((step) => !step.write);
  const seen = run(stand, list);
  return seen.every((value, i) => value >= 0 && value < 256 ** (reads[i]?.width ?? 0));
});

prop('a machine reset leads back to the start, feature words apart', [fc.nat(3), steps], (mode, list) => {
  const kept = list.filter(
    ({ place, offset, write }) =>
      // QEMU resets neither the selectors and written features nor the storage behind the capabilities.
      !(write && ((place === 'modern' && offset < 0x10) || (place === 'config' && offset % 256 >= 0x40))),
  );
  const stand = new Stand(MODES[mode]);
  stand.function.reset();
  const start = stand.digest();
  run(stand, kept);
  stand.function.reset();
  const { generation } = stand.device;
  return stand.digest() === start || generation !== 0;
});

prop(
  'snapshot, run, restore, run again: the same values and the same state',
  [fc.nat(3), steps, steps],
  (mode, first, second) => {
    const stand = new Stand(MODES[mode]);
    run(stand, first);
    const saver = new StateSaver();
    stand.function.exchange(saver);
    const before = stand.digest();
    const once = run(stand, second);
    const after = stand.digest();
    const loader = new StateLoader(saver.finish());
    stand.function.exchange(loader);
    loader.done();
    const again = stand.digest() === before && JSON.stringify(run(stand, second)) === JSON.stringify(once);
    return again && stand.digest() === after;
  },
);
