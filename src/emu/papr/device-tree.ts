import type { PciFunction } from '../pci/function.ts';
import { dynamicConnectors, type Connector } from './connector-order.ts';
import { cellBytes, flattenTree, NodeBuilder, textBytes, type TreeNode } from '../core/flattened-tree.ts';

/**
 * The device tree that a pseries machine hands to its firmware, and the one that client-architecture-support returns:
 * QEMU 7.2 hw/ppc/spapr.c spapr_build_fdt and what it calls. Everything a guest knows of its hardware stands here.
 */
export interface TreeInputs {
  readonly ramBytes: number;
  /** Top of hot-pluggable memory; 0 without `maxmem`, as QEMU has it (ibm,lrdr-capacity). */
  readonly hotplugTop: number;
  readonly cpus: TreeCpus;
  /** 32 bytes. */
  readonly rngSeed: Uint8Array;
  readonly rtasCalls: readonly { readonly name: string; readonly token: number }[];
  readonly hypertasFunctions: readonly string[];
  /** Pairs of option vector 5: byte number, bits (`17 80 18 c0 19 00 1a 40`). */
  readonly platformSupport: Uint8Array;
  /** Machines from 4.2 on say that Linux may move BARs. */
  readonly pciProbeOnly: boolean;
  /** Three levels from 5.1 on: <4 4 2>, <4 4> before. */
  readonly associativityReferencePoints: readonly number[];
  readonly epowIrq: number;
  /** Machines from 2.8 on. */
  readonly hotplugIrq: number | undefined;
  /** Connectors for host bridges: 31 from pseries-4.0 on, none before. */
  readonly hostBridgeConnectors: number;
  readonly hostBridge: TreeHostBridge;
  readonly vdevices: readonly TreeVdevice[];
  /** Whether H_RANDOM answers. */
  readonly platformRandom: boolean;
  /** Undefined in the tree that firmware gets. */
  readonly afterCas: TreeNegotiation | undefined;
  /** What the machine loaded by itself, where it is its guest's firmware: /chosen keeps all it says after CAS too. */
  readonly loaded?: TreeLoaded;
}

/** A kernel in memory, and what `-append` and `-initrd` said. */
export interface TreeLoaded {
  readonly kernelAt: number;
  readonly kernelBytes: number;
  readonly kernelLittle: boolean;
  /** Start and end of the initial RAM disk. */
  readonly initrd: readonly [start: number, end: number] | undefined;
  /** Empty is none. */
  readonly arguments: string;
}

interface TreeCpus {
  /** CPUs there are, one thread each; every one has a connector. */
  readonly count: number;
  /** Distance of their numbers: 1, or 8 up to pseries-4.1 (vsmt). */
  readonly stride: number;
}

interface TreeHostBridge {
  readonly buid: bigint;
  readonly io: TreeWindow;
  readonly mem32: TreeWindow;
  /** Absent up to pseries-2.2. */
  readonly mem64: TreeWindow | undefined;
  readonly liobn: number;
  readonly dmaWindowBytes: number;
  /** RTAS tokens of query, create, remove and reset where dynamic windows are on. */
  readonly ddw:
    | { readonly query: number; readonly create: number; readonly remove: number; readonly reset: number }
    | undefined;
  /** Sources of the four INTx lines that slots share. */
  readonly lsi: readonly [number, number, number, number];
  readonly msiCount: number;
  readonly functions: readonly TreeFunction[];
}

interface TreeWindow {
  /** Address on the PCI side. */
  readonly bus: number;
  /** Address on the CPU's side. */
  readonly cpu: number;
  readonly bytes: number;
}

export type TreeFunction = Pick<PciFunction, 'devfn' | 'typeName' | 'bars' | 'configSpace' | 'msixVectors'>;

export interface TreeVdevice {
  /** `vty`, `nvram`, … */
  readonly name: string;
  readonly reg: number;
  readonly irq: number;
  readonly compatible: string;
  readonly deviceType: string;
  /** #bytes of an nvram. */
  readonly bytes?: number;
}

/** What the guest and the platform agreed on (platform.md section 1.6). */
export interface TreeNegotiation {
  /** Option vector 5, 26 bytes. */
  readonly vec5: Uint8Array;
  readonly xive: boolean;
  /** The logical processor version that was agreed on; 0 is the processor's own. */
  readonly compatPvr: number;
  /** FORM2 affinity. */
  readonly form2: boolean;
}

const PHANDLE_INTC = 0x1111;
const FLAG_EDGE = 0;
const FLAG_LEVEL = 1;
const LMB_BYTES = 0x1000_0000;
/** RTAS_MIN_SIZE: the stub's code, the error log, then 16 bytes for each CPU and 8 more. */
const RTAS_STUB_BYTES = 20;
const RTAS_ERROR_LOG_BYTES = 2048;

export function buildDeviceTree(inputs: TreeInputs): Uint8Array {
  return flattenTree(deviceTree(inputs));
}

function deviceTree(inputs: TreeInputs): TreeNode {
  const connectors = dynamicConnectors({
    cpus: cpuNumbers(inputs.cpus),
    hostBridges: inputs.hostBridgeConnectors,
    pciSlots: 256,
  });
  const root = new NodeBuilder('');
  if (inputs.hostBridgeConnectors > 0) describeConnectors(root, connectors.hostBridges);
  if (inputs.afterCas?.xive === true) root.cells('ibm,plat-res-int-priorities', 7, 0xf8);
  return root
    .cells('#size-cells', 2)
    .cells('#address-cells', 2)
    .strings('vm,uuid', '00000000-0000-0000-0000-000000000000')
    .strings('compatible', 'qemu,pseries')
    .strings('model', 'IBM pSeries (emulated by qemu)')
    .strings('device_type', 'chrp')
    .child(persistentMemory())
    .child(chosen(inputs))
    .child(rtas(inputs))
    .child(eventSources(inputs))
    .child(cpus(inputs, connectors.cpus))
    .child(hostBridge(inputs.hostBridge, connectors.pciSlots))
    .child(...platformFacilities(inputs))
    .child(vdevice(inputs.vdevices))
    .child(memory(inputs))
    .child(inputs.afterCas?.xive === true ? xive(inputs.cpus) : xics(inputs.cpus)).node;
}

function describeConnectors(node: NodeBuilder, connectors: readonly Connector[]): void {
  const { length } = connectors;
  node
    .bytes('ibm,drc-types', counted(connectors.map((connector) => connector.type)))
    .bytes('ibm,drc-names', counted(connectors.map((connector) => connector.name)))
    .cells('ibm,drc-power-domains', length, ...connectors.map(() => 0xffff_ffff))
    .cells('ibm,drc-indexes', length, ...connectors.map((connector) => connector.index));
}

/** A cell that counts, then the strings. */
function counted(strings: readonly string[]): Uint8Array {
  const text = textBytes(strings.map((value) => `${value}\0`).join(''));
  const bytes = new Uint8Array(4 + text.length);
  bytes.set(cellBytes([strings.length]));
  bytes.set(text, 4);
  return bytes;
}

function persistentMemory(): NodeBuilder {
  return new NodeBuilder('ibm,persistent-memory')
    .strings('device_type', 'ibm,persistent-memory')
    .cells('#size-cells', 0)
    .cells('#address-cells', 1);
}

function chosen(inputs: TreeInputs): NodeBuilder {
  const node = new NodeBuilder('chosen');
  if (inputs.afterCas !== undefined) {
    const vector = new Uint8Array(1 + inputs.afterCas.vec5.length);
    // Vectors carry their length less one.
    vector[0] = inputs.afterCas.vec5.length - 1;
    vector.set(inputs.afterCas.vec5, 1);
    node.bytes('ibm,architecture-vec-5', vector).bytes('rng-seed', inputs.rngSeed);
    if (inputs.loaded === undefined) return node;
  } else node.bytes('ibm,architecture-vec-5', new Uint8Array(2)).bytes('rng-seed', inputs.rngSeed);
  node.bytes('ibm,arch-vec-5-platform-support', inputs.platformSupport);
  if (inputs.pciProbeOnly) node.cells('linux,pci-probe-only', 0);
  const console = inputs.vdevices.find((device) => device.name === 'vty');
  if (console !== undefined) {
    const path = `/vdevice/${unitName(console.name, console.reg)}`;
    node.strings('stdout-path', path).strings('linux,stdout-path', path);
  }
  node.cells('qemu,graphic-depth', 32).cells('qemu,graphic-height', 600).cells('qemu,graphic-width', 800);
  return inputs.loaded === undefined ? node : describeLoaded(node, inputs.loaded);
}

function describeLoaded(node: NodeBuilder, loaded: TreeLoaded): NodeBuilder {
  if (loaded.kernelLittle) node.flag('qemu,boot-kernel-le');
  node.cells('qemu,boot-kernel', ...wide(loaded.kernelAt), ...wide(loaded.kernelBytes));
  if (loaded.initrd !== undefined) {
    node.cells('linux,initrd-end', loaded.initrd[1]).cells('linux,initrd-start', loaded.initrd[0]);
  }
  return loaded.arguments === '' ? node : node.strings('bootargs', loaded.arguments);
}

function rtas(inputs: TreeInputs): NodeBuilder {
  const node = new NodeBuilder('rtas');
  const calls = inputs.rtasCalls.toSorted((a, b) => b.token - a.token);
  for (const call of calls) node.cells(call.name, call.token);
  const top = inputs.hotplugTop;
  node
    .cells('ibm,lrdr-capacity', Math.floor(top / 2 ** 32), top % 2 ** 32, 0, LMB_BYTES, inputs.cpus.count)
    .flag('ibm,extended-os-term')
    .flag('ibm,change-msix-capable')
    .cells('rtas-event-scan-rate', 1)
    .cells('rtas-error-log-max', RTAS_ERROR_LOG_BYTES)
    .cells('rtas-size', RTAS_STUB_BYTES + RTAS_ERROR_LOG_BYTES + 16 * inputs.cpus.count + 8);
  if (inputs.afterCas?.form2 === true) {
    // One NUMA node: its number stands first in the index table, its distance to itself (10) in the other.
    node
      .bytes('ibm,numa-distance-table', Uint8Array.of(0, 0, 0, 1, 10))
      .cells('ibm,numa-lookup-index-table', 1, 0)
      .cells('ibm,max-associativity-domains', 1, 1)
      .cells('ibm,associativity-reference-points', 1);
  } else {
    node
      .cells('ibm,max-associativity-domains', 4, 0, 0, 0, 1)
      .cells('ibm,associativity-reference-points', ...inputs.associativityReferencePoints);
  }
  return node
    .strings('qemu,hypertas-functions', 'hcall-memop1')
    .strings('ibm,hypertas-functions', ...inputs.hypertasFunctions);
}

function eventSources(inputs: TreeInputs): NodeBuilder {
  const { epowIrq, hotplugIrq } = inputs;
  const node = new NodeBuilder('event-sources')
    .cells('interrupt-ranges', epowIrq, 1, ...(hotplugIrq === undefined ? [] : [hotplugIrq, 1]))
    .cells('#interrupt-cells', 2)
    .flag('interrupt-controller');
  if (hotplugIrq !== undefined) {
    node.child(new NodeBuilder('hot-plug-events').cells('interrupts', hotplugIrq, FLAG_EDGE));
  }
  return node.child(new NodeBuilder('epow-events').cells('interrupts', epowIrq, FLAG_EDGE));
}

function cpuNumbers(cpu: TreeCpus): readonly number[] {
  return Array.from({ length: cpu.count }, (_, index) => index * cpu.stride);
}

function cpus(inputs: TreeInputs, connectors: readonly Connector[]): NodeBuilder {
  const node = new NodeBuilder('cpus');
  describeConnectors(node, connectors);
  node.cells('#size-cells', 0).cells('#address-cells', 1);
  for (const number of cpuNumbers(inputs.cpus))
    node.child(power9(number, inputs.ramBytes, inputs.afterCas?.compatPvr ?? 0));
  return node;
}

/** POWER9 DD2.0 as TCG presents it; the golden trees were taken with it on every machine type. */
const POWER9_PA_FEATURES = [
  0x4200_f63f, 0xc7c0_80f0, 0x8000_0000, 0, 0x8000, 0x8000_8000, 0x8000, 0x8000_8000, 0x8000_8000,
  0xc000_8000, 0x8000_8000, 0x8000_8000, 0x8000_8000, 0x8000_8000, 0x8000_8000, 0x8000_8000, 0x8000_0000,
] as const;

function power9(number: number, ramBytes: number, compatPvr: number): NodeBuilder {
  return new NodeBuilder(unitName('PowerPC,POWER9', number))
    .cells('ibm,dec-bits', 56)
    .cells('ibm,processor-radix-AP-encodings', 0xc, 0xa000_0010, 0x2000_0015, 0x4000_001e)
    .cells('ibm,ppc-interrupt-gserver#s', number, 0)
    .cells('ibm,ppc-interrupt-server#s', number)
    .cells('ibm,pft-size', 0, hashTableShift(ramBytes))
    .cells('ibm,chip-id', 0)
    .cells('ibm,pa-features', ...POWER9_PA_FEATURES)
    .cells('ibm,segment-page-sizes', 12, 0, 1, 12, 0, 16, 0x110, 1, 16, 1)
    .cells('ibm,dfp', 1)
    .cells('ibm,vmx', 2)
    .cells('ibm,processor-segment-sizes', 0x1c, 0x28, 0xffff_ffff, 0xffff_ffff)
    .cells('ibm,spurr', 1)
    .cells('ibm,purr', 1)
    .flag('64-bit')
    .strings('status', 'okay')
    .cells('ibm,slb-size', 32)
    .cells('slb-size', 32)
    .cells('clock-frequency', 1_000_000_000)
    .cells('timebase-frequency', 512_000_000)
    .cells('i-cache-size', 0x8000)
    .cells('d-cache-size', 0x8000)
    .cells('i-cache-line-size', 128)
    .cells('i-cache-block-size', 128)
    .cells('d-cache-line-size', 128)
    .cells('d-cache-block-size', 128)
    .cells('cpu-version', compatPvr === 0 ? 0x4e_1200 : compatPvr)
    .strings('device_type', 'cpu')
    .cells('reg', number)
    .cells('ibm,my-drc-index', 0x1000_0000 + number);
}

/** A hashed page table of 1/128 of memory, at least 256 KiB (spapr_hpt_shift_for_ramsize). */
function hashTableShift(ramBytes: number): number {
  let shift = 18;
  while (128 * 2 ** shift < ramBytes) shift++;
  return shift;
}

function hostBridge(bridge: TreeHostBridge, connectors: readonly Connector[]): NodeBuilder {
  const node = new NodeBuilder(`pci@${bridge.buid.toString(16)}`);
  describeConnectors(node, connectors);
  node
    .cells('#size-cells', 2)
    .cells('#address-cells', 3)
    .cells('qemu,phb-enumerated', 1)
    .cells('ibm,my-drc-index', 0x2000_0000)
    .cells('ibm,dma-window', bridge.liobn, 0, 0, 0, bridge.dmaWindowBytes)
    .cells('ibm,#dma-size-cells', 2)
    .cells('ibm,#dma-address-cells', 2)
    .cells('interrupt-map', ...interruptMap(bridge.lsi))
    .cells('interrupt-map-mask', 0xf800, 0, 0, 0xffff_ffff);
  if (bridge.ddw !== undefined) {
    // Two extensions: the token of the reset call, and that the query's largest window has 64 bits.
    node
      .cells('ibm,ddw-extensions', 2, bridge.ddw.reset, 1)
      .cells('ibm,ddw-applicable', bridge.ddw.query, bridge.ddw.create, bridge.ddw.remove);
  }
  node
    .cells('ibm,pe-total-#msi', bridge.msiCount)
    .cells('ibm,pci-config-space-type', 1)
    .cells('reg', Number(bridge.buid >> 32n), Number(bridge.buid & 0xffff_ffffn), 0, 0)
    .cells('ranges', ...ranges(bridge))
    .cells('bus-range', 0, 0xff)
    .flag('used-by-rtas')
    .cells('#interrupt-cells', 1)
    .strings('compatible', 'IBM,Logical_PHB')
    .strings('device_type', 'pci');
  const functions = bridge.functions.toSorted((a, b) => a.devfn - b.devfn);
  for (const device of functions) node.child(pciFunction(device));
  return node;
}

/** INTA … INTD of each slot, swizzled over the bridge's four lines. */
function interruptMap(lsi: readonly number[]): number[] {
  const cells: number[] = [];
  for (let slot = 0; slot < 32; slot++) {
    for (let pin = 1; pin <= 4; pin++) {
      const source = lsi[(slot + pin - 1) % 4] ?? 0;
      cells.push(slot << 11, 0, 0, pin, PHANDLE_INTC, source, FLAG_LEVEL);
    }
  }
  return cells;
}

const SPACE_IO = 0x0100_0000;
const SPACE_MEM32 = 0x0200_0000;
const SPACE_MEM64 = 0x0300_0000;

function ranges(bridge: TreeHostBridge): number[] {
  const cells = [...range(SPACE_IO, bridge.io), ...range(SPACE_MEM32, bridge.mem32)];
  return bridge.mem64 === undefined ? cells : [...cells, ...range(SPACE_MEM64, bridge.mem64)];
}

function range(space: number, window: TreeWindow): number[] {
  return [space, ...wide(window.bus), ...wide(window.cpu), ...wide(window.bytes)];
}

/** Two cells. */
function wide(value: number): [number, number] {
  return [Math.floor(value / 2 ** 32), value % 2 ** 32];
}

/**
 * Names by class code, base and sub-class, as firmware knows them (PCI Bus Binding to IEEE 1275, the names QEMU keeps
 * in hw/ppc/spapr_pci.c): the sub-class rows that virtio functions and bridges have, then the base class alone.
 */
const CLASS_NAMES: Readonly<Record<number, string>> = {
  0x0100: 'scsi',
  0x0200: 'ethernet',
  0x0300: 'vga',
  0x0604: 'pci',
  0x0900: 'keyboard',
  0x0902: 'mouse',
};
const BASE_CLASS_NAMES: Readonly<Record<number, string>> = {
  0x00: 'legacy-device',
  0x01: 'mass-storage',
  0x02: 'network',
  0x03: 'display',
  0x04: 'multimedia-device',
  0x05: 'memory-controller',
  0x06: 'unknown-bridge',
  0x07: 'communication-controller',
  0x08: 'system-peripheral',
  0x09: 'input-controller',
};

function pciFunction(device: TreeFunction): NodeBuilder {
  const space = new DataView(
    device.configSpace.buffer,
    device.configSpace.byteOffset,
    device.configSpace.byteLength,
  );
  const slot = device.devfn >> 3;
  const fn = device.devfn & 7;
  const baseAndSub = space.getUint16(0x0a, true);
  const name = CLASS_NAMES[baseAndSub] ?? BASE_CLASS_NAMES[baseAndSub >> 8] ?? 'unknown-legacy-device';
  const unit = fn === 0 ? slot.toString(16) : `${slot.toString(16)},${fn.toString(16)}`;
  const node = new NodeBuilder(`${name}@${unit}`)
    .cells('max-latency', space.getUint8(0x3f))
    .cells('min-grant', space.getUint8(0x3e))
    .cells('reg', ...functionReg(device));
  if (device.msixVectors > 0) node.cells('ibm,req#msi-x', device.msixVectors);
  node
    .cells('ibm,my-drc-index', 0x4000_0000 | device.devfn)
    .strings('ibm,loc-code', `qemu_${device.typeName}:0000:00:${slot.toString(16).padStart(2, '0')}.${fn}`)
    .cells('devsel-speed', (space.getUint16(6, true) >> 9) & 3)
    .cells('cache-line-size', space.getUint8(0x0c));
  const subsystemVendor = space.getUint16(0x2c, true);
  const subsystem = space.getUint16(0x2e, true);
  if (subsystemVendor !== 0) node.cells('subsystem-vendor-id', subsystemVendor);
  if (subsystem !== 0) node.cells('subsystem-id', subsystem);
  const pin = space.getUint8(0x3d);
  if (pin !== 0) node.cells('interrupts', pin);
  return node
    .cells('class-code', space.getUint32(8, true) >>> 8)
    .cells('revision-id', space.getUint8(8))
    .cells('device-id', space.getUint16(2, true))
    .cells('vendor-id', space.getUint16(0, true));
}

const SPACE_OF_BAR = { io: SPACE_IO, mem32: SPACE_MEM32, mem64: SPACE_MEM64 } as const;
/** Among a function's BARs the expansion ROM has this index. */
const ROM_INDEX = 6;
const ROM_REGISTER = 0x30;

/** Configuration space, then every BAR with its size; QEMU leaves the addresses to firmware. */
function functionReg(device: TreeFunction): number[] {
  const config = device.devfn << 8;
  const cells = [config, 0, 0, 0, 0];
  for (const bar of device.bars) {
    const register = bar.index === ROM_INDEX ? ROM_REGISTER : 0x10 + 4 * bar.index;
    cells.push(SPACE_OF_BAR[bar.kind] | config | register, 0, 0, ...wide(bar.region.size));
  }
  return cells;
}

function platformFacilities(inputs: TreeInputs): NodeBuilder[] {
  if (!inputs.platformRandom) return [];
  return [
    new NodeBuilder('ibm,platform-facilities')
      .cells('#size-cells', 0)
      .cells('#address-cells', 1)
      .strings('device_type', 'ibm,platform-facilities')
      .child(new NodeBuilder('ibm,random-v1').strings('compatible', 'ibm,random')),
  ];
}

function vdevice(devices: readonly TreeVdevice[]): NodeBuilder {
  const node = new NodeBuilder('vdevice')
    .flag('interrupt-controller')
    .cells('#interrupt-cells', 2)
    .cells('#size-cells', 0)
    .cells('#address-cells', 1)
    .strings('compatible', 'IBM,vdevice')
    .strings('device_type', 'vdevice');
  for (const device of devices) {
    const child = new NodeBuilder(unitName(device.name, device.reg));
    if (device.bytes !== undefined) child.cells('#bytes', device.bytes);
    node.child(
      child
        .cells('interrupts', device.irq, FLAG_EDGE)
        .strings('compatible', device.compatible)
        .strings('device_type', device.deviceType)
        .cells('reg', device.reg),
    );
  }
  return node;
}

/** All of memory is one NUMA node and inside the real mode area. */
function memory(inputs: TreeInputs): NodeBuilder {
  const associativity = inputs.afterCas?.form2 === true ? [1, 0] : [4, 0, 0, 0, 0];
  return new NodeBuilder('memory@0')
    .cells('ibm,associativity', ...associativity)
    .cells('reg', 0, 0, ...wide(inputs.ramBytes))
    .strings('device_type', 'memory');
}

function xics(cpu: TreeCpus): NodeBuilder {
  return intc('interrupt-controller')
    .cells('#interrupt-cells', 2)
    .cells('ibm,interrupt-server-ranges', 0, cpu.count * cpu.stride)
    .flag('interrupt-controller')
    .strings('compatible', 'IBM,ppc-xicp')
    .strings('device_type', 'PowerPC-External-Interrupt-Presentation');
}

/** Pages of the thread management area that the guest may use: its user and its OS ring. */
const TIMA_USER = 0x6_0302_031b_0000;
const TIMA_OS = 0x6_0302_031a_0000;
const TIMA_PAGE_BYTES = 0x1_0000;

function xive(cpu: TreeCpus): NodeBuilder {
  return intc(unitName('interrupt-controller', TIMA_USER))
    .cells('#interrupt-cells', 2)
    .flag('interrupt-controller')
    .cells('ibm,xive-lisn-ranges', 0, cpu.count * cpu.stride)
    .cells('ibm,xive-eq-sizes', 16)
    .strings('compatible', 'ibm,power-ivpe')
    .cells('reg', ...wide(TIMA_USER), 0, TIMA_PAGE_BYTES, ...wide(TIMA_OS), 0, TIMA_PAGE_BYTES)
    .strings('device_type', 'power-ivpe');
}

function intc(name: string): NodeBuilder {
  return new NodeBuilder(name).cells('phandle', PHANDLE_INTC).cells('linux,phandle', PHANDLE_INTC);
}

function unitName(name: string, unit: number): string {
  return `${name}@${unit.toString(16)}`;
}
