import {
  H_HARDWARE,
  H_MULTI_THREADS_ACTIVE,
  H_PARAMETER,
  H_SUCCESS,
  OV1_PPC_3_00,
  OV5_MMU_BOTH,
  OV5_MMU_RADIX_300,
  OV5_XIVE_BOTH,
  OV5_XIVE_EXPLOIT,
} from './abi.ts';
import type { PaprOptions } from './environment.ts';
import { addressOf, NOWHERE } from './guest-access.ts';
import type { HcallFrame } from './hcall-frame.ts';
import { OptionVector } from './option-vector.ts';
import { PATE1_GR, type Partition } from './partition.ts';

const PVR_PAIRS_MAX = 512;
const HEADER_BYTES = 4;
const HEADER_VERSION = 1;

/** Real processor versions of QEMU's models, and how many of the logical ones below each can stand for. */
const PROCESSORS: Readonly<Record<PaprOptions['cpu'], { readonly pvr: number; readonly logical: number }>> = {
  power7: { pvr: 0x003f_0203, logical: 3 },
  power8: { pvr: 0x004d_0200, logical: 4 },
  power9: { pvr: 0x004e_1200, logical: 5 },
};

/** Logical processor versions in rising order: ISA 2.05, 2.06, 2.06+, 2.07, 3.0. */
const LOGICAL_PVRS: readonly number[] = [0x0f00_0002, 0x0f00_0003, 0x0f10_0003, 0x0f00_0004, 0x0f00_0005];

interface ProcessorChoice {
  /** The guest's list named the real processor. */
  readonly raw: boolean;
  /** The best logical version listed that the processor can stand for; 0 is none. */
  readonly compatPvr: number;
  /** Where the option vectors begin. */
  readonly next: number;
}

/** Reads the guest's list of processors (spapr_hcall.c cas_check_pvr). */
function chooseProcessor(partition: Partition, list: number): ProcessorChoice {
  const { pvr: real, logical } = PROCESSORS[partition.options.cpu];
  let raw = false;
  let best = -1;
  let at = list;
  for (let i = 0; i < PVR_PAIRS_MAX; i++) {
    const mask = partition.guest.load(at, 4);
    const pvr = partition.guest.load(at < 0 ? at : at + 4, 4);
    if (at >= 0) at += 8;
    if ((~mask & pvr) !== 0) break;
    if ((real & mask) === (pvr & mask)) raw = true;
    else {
      const rank = LOGICAL_PVRS.indexOf(pvr);
      if (rank < logical && rank >= Math.max(best, 0)) best = rank;
    }
  }
  return { raw, compatPvr: LOGICAL_PVRS[best] ?? 0, next: at };
}

/** The n-th option vector of a table: a count less one, then for each a length less one and its bytes. */
function parseVector(partition: Partition, table: number, number: number): OptionVector | undefined {
  if (table === NOWHERE) return number === 1 ? new OptionVector() : undefined;
  const { guest } = partition;
  if (number > guest.load(table, 1) + 1) return undefined;
  let at = table + 1;
  for (let i = 1; i < number; i++) at += guest.load(at, 1) + 2;
  const vector = new OptionVector();
  guest.read(at + 1, vector.bytes, 0, guest.load(at, 1) + 1);
  return vector;
}

/** QEMU prints the reason and exits: the machine stops. */
function fatal(partition: Partition, reason: string): number {
  partition.say(reason);
  partition.environment.request('fatal');
  return H_HARDWARE;
}

/**
 * KVMPPC_H_CAS (vector table, buffer, its size): ibm,client-architecture-support as firmware calls it (QEMU 7.2
 * hw/ppc/spapr_hcall.c). The answer is a header and the whole new device tree.
 */
export function clientArchitectureSupport(partition: Partition, frame: HcallFrame): number {
  const vectors = addressOf(frame.high(0) & 0x0fff_ffff, frame.low(0));
  const buffer = addressOf(frame.high(1), frame.low(1));
  const size = frame.small(2);
  if (size < HEADER_BYTES) {
    return fatal(partition, `SLOF provided insufficient CAS buffer ${size} (min: ${HEADER_BYTES})`);
  }
  const status = agree(partition, vectors);
  return status === H_SUCCESS ? answer(partition, buffer, size - HEADER_BYTES) : status;
}

/** As the client interface asks for it: the new tree stays with the machine (vof_client_architecture_support). */
export function negotiateArchitecture(partition: Partition, vectors: number, room: number): number {
  const status = agree(partition, vectors);
  if (status !== H_SUCCESS) return status;
  return handOverTree(partition, room) === undefined ? H_HARDWARE : H_SUCCESS;
}

function agree(partition: Partition, vectors: number): number {
  if (partition.cpus.some((cpu) => cpu !== partition.cpu && !cpu.halted)) {
    partition.say('guest has multiple active vCPUs at CAS, which is not allowed');
    return H_MULTI_THREADS_ACTIVE;
  }
  const processor = chooseProcessor(partition, vectors);
  if (processor.compatPvr === 0 && !processor.raw) {
    partition.say("Couldn't negotiate a suitable PVR during CAS");
    return H_HARDWARE;
  }
  partition.compatPvr = processor.compatPvr;
  return negotiate(partition, processor.next);
}

function negotiate(partition: Partition, table: number): number {
  const ov1 = parseVector(partition, table, 1);
  if (ov1 === undefined) {
    partition.say("guest didn't provide option vector 1");
    return H_PARAMETER;
  }
  const ov5 = parseVector(partition, table, 5);
  if (ov5 === undefined) {
    partition.say("guest didn't provide option vector 5");
    return H_PARAMETER;
  }
  if (ov5.has(OV5_MMU_BOTH)) {
    return fatal(partition, 'guest requested hash and radix MMU, which is invalid.');
  }
  if (ov5.has(OV5_XIVE_BOTH)) return fatal(partition, 'guest requested an invalid interrupt mode');
  partition.ov5.intersect(partition.ov5Platform, ov5);
  partition.preIsa3Guest = !ov1.has(OV1_PPC_3_00);
  const reason = refusedInterruptMode(partition.options.icMode, ov5.has(OV5_XIVE_EXPLOIT));
  if (reason !== undefined) return fatal(partition, reason);
  partition.connectors.resetStates();
  if (!ov5.has(OV5_MMU_RADIX_300)) partition.partitionEntry &= ~PATE1_GR;
  return H_SUCCESS;
}

function refusedInterruptMode(icMode: PaprOptions['icMode'], xive: boolean): string | undefined {
  if (xive && icMode === 'xics') {
    return 'Guest requested unavailable interrupt mode (XIVE), try the ic-mode=xive or ic-mode=dual machine property';
  }
  if (!xive && icMode === 'xive') {
    return "Guest requested unavailable interrupt mode (XICS), either don't set the ic-mode machine property or try ic-mode=xics or ic-mode=dual";
  }
  return undefined;
}

/** Undefined if the tree does not fit: the machine stops then. */
function handOverTree(partition: Partition, room: number): Uint8Array | undefined {
  const tree = partition.environment.buildTree(
    {
      ov5: partition.ov5.trimmed(),
      compatPvr: partition.compatPvr,
      preIsa3Guest: partition.preIsa3Guest,
    },
    room,
  );
  if (tree === undefined) {
    fatal(partition, 'error creating device tree: (fdt_create_empty_tree(fdt, space)): FDT_ERR_NOSPACE');
    return undefined;
  }
  partition.handOver(tree);
  return tree;
}

function answer(partition: Partition, buffer: number, room: number): number {
  const tree = handOverTree(partition, room);
  if (tree === undefined) return H_HARDWARE;
  const bytes = new Uint8Array(HEADER_BYTES + tree.length);
  // The version is written in the host's byte order, which is a PC's.
  bytes[0] = HEADER_VERSION;
  bytes.set(tree, HEADER_BYTES);
  partition.guest.write(buffer, bytes, 0, bytes.length);
  return H_SUCCESS;
}
