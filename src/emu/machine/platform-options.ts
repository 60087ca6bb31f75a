import type { Rng } from '../core/rng.ts';
import {
  IRQ_EPOW,
  IRQ_HOTPLUG,
  OV5_FORM2_AFFINITY,
  OV5_XIVE_EXPLOIT,
  RTAS_CALLS,
  RTAS_TOKEN,
} from '../papr/abi.ts';
import type { TreeInputs, TreeLoaded, TreeNegotiation, TreeVdevice } from '../papr/device-tree.ts';
import type { MitigationLevels, Negotiated, PaprOptions, PhbPlacement } from '../papr/environment.ts';
import type { HostBridge } from '../papr/host-bridge.ts';
import type { VioDevice } from '../papr/vio.ts';
import type { MachineConfig } from './config.ts';
import type { MachineArgument } from './options.ts';

/** 10 March 2020: virtual time 0 for the real-time clock, so that no run depends on the day it is made. */
export const EPOCH_SECONDS = 1_583_798_400;
const TIB = 2 ** 40;
const RNG_SEED_BYTES = 32;
const HOST_BRIDGE_CONNECTORS = 31;
/** Bytes of option vector 5 in the tree (OV5_XIVE_EXPLOIT and the radix bits are the last of them). */
const VEC5_BYTES = 26;
/** Pairs of byte number and bits (spapr_dt_ov5_platform_support). */
const SUPPORT_XIVE_DUAL = Uint8Array.of(0x17, 0x80, 0x18, 0xc0, 0x19, 0x00, 0x1a, 0x40);
const SUPPORT_XIVE_ONLY = Uint8Array.of(0x17, 0x40, 0x18, 0xc0, 0x19, 0x00, 0x1a, 0x40);
const SUPPORT_XICS = Uint8Array.of(0x17, 0x00, 0x18, 0xc0, 0x19, 0x00, 0x1a, 0x40);

const HYPERTAS_FUNCTIONS = [
  'hcall-pft',
  'hcall-term',
  'hcall-dabr',
  'hcall-interrupt',
  'hcall-tce',
  'hcall-vio',
  'hcall-splpar',
  'hcall-join',
  'hcall-bulk',
  'hcall-set-mode',
  'hcall-sprg0',
  'hcall-copy',
  'hcall-debug',
  'hcall-vphn',
  'hcall-multi-tce',
] as const;

/** What a machine type and its options mean for the platform. */
export function paprOptions(config: MachineConfig, machine: MachineArgument): PaprOptions {
  const { options, hostBridge } = machine.type;
  return {
    ramBytes: config.ramBytes,
    maxRamBytes: config.ramBytes,
    cpus: config.cpus,
    maxCpus: config.cpus,
    vsmt: options.threadsAreVsmt ? 1 : 8,
    // The one processor that is modelled, whatever the machine type's own default is.
    cpu: 'power9',
    icMode: interruptControllers(machine),
    legacyIrqNumbers: options.legacyInterruptNumbers,
    phbs: [{ index: 0, ddw: hostBridge.ddw, pageSizeMask: hostBridge.pageSizes }],
    phbPlacement: placement(config, machine),
    vio: [{ kind: 'spapr-nvram' }, { kind: 'spapr-vty' }],
    mitigations: mitigations(machine),
    numaForm2: !options.numaAffinityBefore62,
    hotplugEventSource: options.modernHotplugEvents,
    hptResize: options.resizesHashTable,
    fwnmi: machine.capabilities.fwnmi === 'on',
    nestedHv: machine.capabilities.nestedHv === 'on',
    drcPhbs: options.hotplugBridges ? HOST_BRIDGE_CONNECTORS : 0,
    drcCpus: options.hotplugCpus,
    drcPci: hostBridge.dynamicReconfiguration,
    uuid: undefined,
    epochSeconds: EPOCH_SECONDS,
  };
}

function interruptControllers(machine: MachineArgument): 'xics' | 'xive' | 'dual' {
  if (machine.interruptControllers !== undefined) return machine.interruptControllers;
  return machine.type.options.interrupts === 'dual' ? 'dual' : 'xics';
}

function placement(config: MachineConfig, machine: MachineArgument): PhbPlacement {
  const { options, hostBridge } = machine.type;
  if (options.placement === '2.8') return { scheme: '2.8' };
  return {
    scheme: '2.7',
    base: Math.ceil(config.ramBytes / TIB) * TIB,
    memWindowBytes: hostBridge.memoryWindow,
  };
}

function mitigations(machine: MachineArgument): MitigationLevels {
  const { cfpc, sbbc, ibs, ccfAssist } = machine.capabilities;
  return {
    cfpc: cfpc as MitigationLevels['cfpc'],
    sbbc: sbbc as MitigationLevels['sbbc'],
    ibs: ibs as MitigationLevels['ibs'],
    countCacheFlushAssist: ccfAssist === 'on',
  };
}

/** What the tree says; drawing its rng-seed moves the generator on, as every tree that QEMU builds does. */
export function treeInputs(
  options: PaprOptions,
  machine: MachineArgument,
  bridge: HostBridge,
  vdevices: readonly VioDevice[],
  chance: Rng,
  negotiated: Negotiated | undefined,
  hasRandom: boolean,
  loaded?: TreeLoaded,
): TreeInputs {
  const rngSeed = new Uint8Array(RNG_SEED_BYTES);
  chance.bytes(rngSeed);
  const resize = options.hptResize ? ['hcall-hpt-resize'] : [];
  return {
    ramBytes: options.ramBytes,
    hotplugTop: 0,
    cpus: { count: options.cpus, stride: options.vsmt },
    rngSeed,
    rtasCalls: RTAS_CALLS,
    hypertasFunctions: [...HYPERTAS_FUNCTIONS, ...resize, 'hcall-watchdog'],
    platformSupport: support(options),
    pciProbeOnly: machine.type.options.linuxPciProbe,
    associativityReferencePoints: machine.type.options.associativityBefore51 ? [4, 4] : [4, 4, 2],
    epowIrq: IRQ_EPOW,
    hotplugIrq: options.hotplugEventSource ? IRQ_HOTPLUG : undefined,
    hostBridgeConnectors: options.drcPhbs,
    hostBridge: {
      buid: (BigInt(bridge.buidHigh) << 32n) | BigInt(bridge.buidLow),
      io: bridge.io,
      mem32: bridge.mem32,
      mem64: bridge.mem64,
      liobn: bridge.dma.tables[0]?.liobn ?? 0,
      dmaWindowBytes: 0x4000_0000,
      ddw: dynamicWindows(options),
      lsi: bridge.lsi,
      msiCount: 0xd00,
      functions: bridge.functions,
    },
    vdevices: vdevices.flatMap(describeVdevice),
    platformRandom: hasRandom,
    afterCas: negotiated === undefined ? undefined : negotiation(negotiated),
    ...(loaded === undefined ? {} : { loaded }),
  };
}

function support(options: PaprOptions): Uint8Array {
  if (options.icMode === 'xics') return SUPPORT_XICS;
  return options.icMode === 'xive' ? SUPPORT_XIVE_ONLY : SUPPORT_XIVE_DUAL;
}

function dynamicWindows(options: PaprOptions): TreeInputs['hostBridge']['ddw'] {
  if (options.phbs[0]?.ddw !== true) return undefined;
  return {
    query: RTAS_TOKEN['ibm,query-pe-dma-window'],
    create: RTAS_TOKEN['ibm,create-pe-dma-window'],
    remove: RTAS_TOKEN['ibm,remove-pe-dma-window'],
    reset: RTAS_TOKEN['ibm,reset-pe-dma-window'],
  };
}

/** How VIO devices stand in the tree (hw/ppc/spapr_vio.c, spapr_vty.c, hw/nvram/spapr_nvram.c). */
const VDEVICE_NODES: ReadonlyMap<string, Omit<TreeVdevice, 'reg' | 'irq'>> = new Map([
  ['spapr-nvram', { name: 'nvram', compatible: 'qemu,spapr-nvram', deviceType: 'nvram', bytes: 0x10000 }],
  ['spapr-vty', { name: 'vty', compatible: 'hvterm1', deviceType: 'serial' }],
]);

function describeVdevice(device: VioDevice): TreeVdevice[] {
  const node = VDEVICE_NODES.get(device.kind.name);
  return node === undefined ? [] : [{ ...node, reg: device.unit, irq: device.irq }];
}

function negotiation(negotiated: Negotiated): TreeNegotiation {
  const vec5 = negotiated.ov5.slice(0, VEC5_BYTES);
  const has = (bit: { readonly byte: number; readonly bit: number }): boolean =>
    ((negotiated.ov5[bit.byte - 1] ?? 0) & (0x80 >> bit.bit)) !== 0;
  return {
    vec5,
    compatPvr: negotiated.compatPvr,
    xive: has(OV5_XIVE_EXPLOIT),
    form2: has(OV5_FORM2_AFFINITY),
  };
}
