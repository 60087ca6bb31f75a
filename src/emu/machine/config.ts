import type { BehaviourName } from '../virtio/behaviour.ts';

/**
 * A machine as its operator describes it, in QEMU's own words: what `-machine`, `-m`, `-smp`, `-device` and `-global`
 * would say. A recording's header carries it, so it holds plain data only.
 */
export interface MachineConfig {
  /** `pseries-7.2`; options may follow as QEMU takes them: `pseries-2.6,cap-htm=off`. */
  readonly machine: string;
  readonly ramBytes: number;
  readonly cpus: number;
  /** All chance of the machine: entropy device, H_RANDOM, the device tree's rng-seed. */
  readonly seed: string;
  /** `-device` arguments, in order: `virtio-blk-pci,addr=1,drive=d0,disable-legacy=on,iommu_platform=on`. */
  readonly devices: readonly string[];
  /** `-global` arguments: `virtio-pci.disable-legacy=on`. */
  readonly globals: readonly string[];
  /** What `drive=`, `netdev=`, `chardev=`, `rng=` and the like name. */
  readonly backends: readonly BackendConfig[];
  /** Of every device. Absent: `qemu-7.2`. */
  readonly behaviour?: BehaviourName;
  /** `-object` arguments: `pef-guest,id=pef0`. */
  readonly objects?: readonly string[];
  /**
   * The host below QEMU, as host-options.ts reads it: `ultravisor,behaviour=released`. Absent: TCG, or any host that
   * knows of no secure guests.
   */
  readonly host?: string;
}

export type BackendConfig =
  | {
      readonly kind: 'disk';
      readonly id: string;
      readonly sectors: number;
      readonly content: DiskContent;
      readonly readOnly: boolean;
    }
  | {
      readonly kind: 'net';
      readonly id: string;
      /** Frames that the guest sends come back. */
      readonly loopback: boolean;
      /** `queues=` of a tap: pairs of queues; 1 where left out. */
      readonly queues?: number;
      /** `vnet_hdr=on` of a tap: frames come and go behind a virtio header. */
      readonly headers?: boolean;
    }
  | { readonly kind: 'entropy'; readonly id: string }
  /** A socket, or what behaves like one; `open`: somebody is connected from the start. */
  | { readonly kind: 'chardev'; readonly id: string; readonly open: boolean }
  | { readonly kind: 'iothread'; readonly id: string }
  /** What the machine option `memory-backend=` names: the host's pages behind RAM, 4096 bytes where none is named. */
  | { readonly kind: 'memory'; readonly id: string; readonly pageBytes: number }
  /** What `cryptodev=` names. */
  | { readonly kind: 'crypto'; readonly id: string };

/**
 * What a fresh disk holds. `tagged`: every sector repeats an 8-byte tag that names it (sector number, seed), so that a
 * sector read from the wrong place betrays itself. `golden`: byte i of sector n is (7n + 13i) & 255, as the disk that
 * the golden logs were taken with.
 */
export type DiskContent = 'zero' | 'tagged' | 'golden';

/** What a construction ends in: a machine, or QEMU's reason why not. */
export type Verdict<T> =
  | { readonly accepted: true; readonly value: T; readonly warnings: readonly string[] }
  | {
      readonly accepted: false;
      /** QEMU's own text, without the program name. */
      readonly reason: string;
      readonly hint?: string;
    };
