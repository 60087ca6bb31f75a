import type { Case, Step } from '../fuzz/case.ts';
import type { Difference } from './rival.ts';

/** A difference that is understood: what differs, why, and whose it is. */
export interface Explanation {
  readonly name: string;
  readonly what: string;
  readonly why: string;
  /** Clause of the specification, or file of QEMU. */
  readonly source: string;
  readonly whose: 'qemu' | 'emulator' | 'bridge';
  readonly covers: (difference: Difference, value: Case) => boolean;
}

const DISKS: ReadonlySet<string> = new Set(['blk', 'scsi']);

/** A `submit` whose available index moves so far that more requests come than io_uring takes at once. */
function jumpsFar({ name, args }: Step): boolean {
  const jump = args[2] ?? 1;
  return name === 'submit' && jump >= 100 && jump <= 0x101;
}

/** A datagram without its IP and UDP headers. */
const DATAGRAM_MAX = 65_507;

function bytesOf({ chain }: Step): number {
  return chain?.elements.reduce((sum, element) => sum + element.length, 0) ?? 0;
}

function withoutWarning(log: string): string {
  const lines = log.split('\n').filter((line) => !line.startsWith('warning: Blocked re-entrant IO'));
  return lines.join('\n');
}

/** Every difference between the two machines that is no finding. A row without a reason would be one. */
export const EXPLANATIONS: readonly Explanation[] = [
  {
    name: 'order-of-disk-requests',
    what: 'block requests that are in flight together end in another order',
    why: 'which of them ends first is the matter of the host that does the I/O: its threads, or the depth of its io_uring; a device without IN_ORDER may return buffers in any order',
    source: 'block/io_uring.c, util/thread-pool.c; VIRTIO 1.4, 2.7.8',
    whose: 'bridge',
    covers: (difference, value) => difference.what === 'order' && DISKS.has(value.machine.device),
  },
  {
    name: 'disk-requests-end-early',
    what: 'of an available index that jumps over the ring, QEMU serves entries that find room because others end meanwhile',
    why: 'from 128 requests on io_uring hands results over in the course of submitting, which takes requests out of flight; the emulator ends none before the driver waits',
    source: 'block/io_uring.c, ioq_submit (MAX_ENTRIES)',
    whose: 'bridge',
    covers: (_difference, value) => DISKS.has(value.machine.device) && value.steps.some(jumpsFar),
  },
  {
    name: 'longer-than-a-datagram',
    what: 'a frame of more than 65,507 bytes does not come back',
    why: 'the bridge loops frames through a UDP socket, which takes no more',
    source: 'RFC 768; net/socket.c',
    whose: 'bridge',
    covers: (_difference, value) =>
      value.machine.device === 'net' && value.steps.some((step) => bytesOf(step) > DATAGRAM_MAX),
  },
  {
    name: 'said-once',
    what: 'QEMU warns of a device that writes into its own registers once in its life, not once in a case',
    why: 'warn_report_once; one QEMU runs many cases',
    source: 'softmmu/memory.c, access_with_adjusted_size',
    whose: 'bridge',
    covers: ({ what, emulator, qemu }) => what === 'log' && withoutWarning(emulator) === withoutWarning(qemu),
  },
];

/** The row that explains a difference; undefined makes it a finding. */
export function explanationOf(difference: Difference, value: Case): Explanation | undefined {
  return EXPLANATIONS.find((row) => row.covers(difference, value));
}
