import type { Tap } from '../../emu/core/tap.ts';
import { GuestDriver } from '../../emu/guest/driver.ts';
import { PROFILES_BY_NAME } from '../../emu/guest/profiles.ts';
import type { MachineConfig } from '../../emu/machine/config.ts';
import { Machine, type MachineSnapshot } from '../../emu/machine/machine.ts';
import { assert } from '../../emu/core/assert.ts';

/** What every row about a whole guest runs: a modern disk behind the IOMMU, and a Linux that maps page by page. */
export function benchConfig(iommuPlatform: boolean, packed = false): MachineConfig {
  const iommu = iommuPlatform ? 'on' : 'off';
  const layout = packed ? ',packed=on' : '';
  return {
    machine: 'pseries-7.2',
    ramBytes: 0x1000_0000,
    cpus: 1,
    seed: 'bench',
    devices: [`virtio-blk-pci,addr=1,drive=d0,disable-legacy=on,iommu_platform=${iommu}${layout}`],
    globals: [],
    backends: [{ kind: 'disk', id: 'd0', sectors: 2048, content: 'tagged', readOnly: false }],
  };
}

/** VIRTIO 1.3, 6. */
const RING_PACKED = 34;
const PROFILE = 'modern-plat-single-tce';

/** A machine with its guest, found and set up; lives follow one another from one snapshot. */
export class Life {
  readonly machine: Machine;
  readonly driver: GuestDriver;
  /** As it was built, before firmware. */
  readonly built: MachineSnapshot;
  /** After firmware. */
  readonly start: MachineSnapshot;

  constructor(iommuPlatform: boolean, packed = false) {
    const verdict = Machine.create(benchConfig(iommuPlatform, packed));
    assert(verdict.accepted, 'the machine of the benchmark can be built');
    const profile = PROFILES_BY_NAME.get(PROFILE);
    assert(profile !== undefined, 'the guest of the benchmark has a profile');
    this.machine = verdict.value;
    this.built = this.machine.snapshot();
    this.driver = new GuestDriver(this.machine.platform, { profile, features: packed ? [RING_PACKED] : [] });
    this.driver.boot();
    this.start = this.machine.snapshot();
  }

  /** From the snapshot to DRIVER_OK. */
  setUp(): void {
    this.machine.restore(this.start);
    assert(this.driver.probe() && this.driver.start(), 'the guest of the benchmark drives its device');
  }

  /** A life of `requests` requests, shown to `tap`. */
  run(requests: number, tap: Tap | undefined): void {
    this.machine.restore(this.start);
    this.machine.setTap(tap);
    const done = this.driver.probe() && this.driver.start() && this.driver.run(requests);
    this.machine.setTap(undefined);
    assert(done, 'the guest of the benchmark gets what it asks for');
  }
}
