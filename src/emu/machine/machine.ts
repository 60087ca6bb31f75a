import { SILENT, type Diagnostics, type Ending } from '../core/diagnostics.ts';
import { Digest } from '../core/digest.ts';
import { EventQueue } from '../core/event-queue.ts';
import { Rng } from '../core/rng.ts';
import { StateHasher, StateLoader, StateSaver, type StateStream } from '../core/state.ts';
import { KIND, type MachineEvent, type Tap } from '../core/tap.ts';
import { TapLine } from '../core/tap-line.ts';
import { ticks } from '../core/time.ts';
import { ScsiDevice } from '../devices/scsi.ts';
import { SerialDevice } from '../devices/serial.ts';
import { AddressSpace } from '../memory/address-space.ts';
import { BounceBuffer } from '../memory/bounce-buffer.ts';
import { DmaSpace } from '../memory/dma-space.ts';
import { PagedMemory, type MemorySnapshot } from '../memory/guest-memory.ts';
import { HostRam } from '../memory/host-ram.ts';
import type { ClientInterface } from '../papr/client-interface.ts';
import { buildDeviceTree, type TreeLoaded } from '../papr/device-tree.ts';
import type { MachineRequest, Negotiated, PaprEnvironment } from '../papr/environment.ts';
import type { HostBridge } from '../papr/host-bridge.ts';
import { Papr } from '../papr/papr.ts';
import type { PartitionSnapshot } from '../papr/partition.ts';
import { behaviourOf, type Behaviour } from '../virtio/behaviour.ts';
import type { VirtioCore } from '../virtio/core.ts';
import { VirtioPciFunction } from '../virtio/pci-function.ts';
import { PEF_BLOCKER } from './capabilities.ts';
import type { MachineConfig, Verdict } from './config.ts';
import { makeDevice } from './devices.ts';
import { EmulatedPlatform, type PlatformBackend } from './emulated-platform.ts';
import type { EntropySource } from '../devices/backends/entropy.ts';
import { CONSOLE_PORT, HostEnds } from './host-ends.ts';
import { hostOptions, type HostOptions } from './host-options.ts';
import { execute, MONITOR_PORT, report, type MonitorHost } from './monitor.ts';
import {
  parseGlobal,
  parseMachine,
  parseOptions,
  type GlobalOption,
  type MachineArgument,
} from './options.ts';
import { paprOptions, treeInputs } from './platform-options.ts';
import type { BackendLookup } from './properties.ts';
import { realizeDevice, type RealizedDevice } from './realize.ts';
import { isScsiDisk, realizeScsiDisk } from './scsi-disks.ts';
import { isSerialPort, realizePort, SERIAL_BUS } from './serial-ports.ts';
import { SecureSide } from './secure-side.ts';
import { MSR_S } from '../ultravisor/abi.ts';

/** A moment of a machine. Restoring it costs what was touched since. */
export interface MachineSnapshot {
  readonly memory: MemorySnapshot;
  readonly partition: PartitionSnapshot;
  readonly disks: readonly MemorySnapshot[];
  /** Secure memory, where the host has an ultravisor. */
  readonly secure: MemorySnapshot | undefined;
  readonly state: Uint8Array;
  /** Built anew where it changes and never written to, so that a snapshot holds it as it is. */
  readonly tree: Uint8Array;
}

/**
 * A whole pseries machine: RAM, platform, host bridge and devices around one event queue. What the guest does comes in
 * through `platform`, what the host does through `hostInput`, and everything that crosses shows at the tap.
 */
export class Machine implements PlatformBackend {
  readonly config: MachineConfig;
  readonly memory: PagedMemory;
  readonly queue: EventQueue = new EventQueue();
  readonly platform: EmulatedPlatform;
  readonly papr: Papr;
  /** Everything outside RAM that a CPU address reaches. */
  readonly system: AddressSpace;
  readonly functions: readonly VirtioPciFunction[];
  readonly ends: HostEnds;
  /** Ultravisor and hypervisor, where the host has them. */
  readonly secureSide: SecureSide | undefined;
  /** Why QEMU refuses to migrate this machine. */
  readonly migrationBlocker: string | undefined;
  /** What the guest asked the machine to do last: power off, start over, or nothing yet. */
  requested: MachineRequest | undefined = undefined;
  /** How QEMU would have ended by now: nothing that follows the first such moment can be compared with it. */
  ending: Ending | undefined = undefined;
  readonly #behaviour: Behaviour;
  readonly #argument: MachineArgument;
  readonly #line: TapLine;
  readonly #bounce: BounceBuffer = new BounceBuffer();
  readonly #diagnostics: Diagnostics;
  readonly #treeChance: Rng;
  readonly #randomWord: () => bigint | undefined;
  readonly #loaded: TreeLoaded | undefined;
  readonly #cores: VirtioCore[] = [];
  readonly #coresById: Map<string, VirtioCore> = new Map();
  readonly #globals: readonly GlobalOption[];
  readonly #monitor: MonitorHost;
  #tree: Uint8Array = new Uint8Array(0);
  #restoring = false;

  /** Makes a machine, or says in QEMU's words why QEMU would not. Throws only for our own mistakes. */
  static create(config: MachineConfig, options: MachineOptions = {}): Verdict<Machine> {
    const argument = parseMachine(config.machine);
    if (!argument.accepted) return argument;
    const globals = config.globals.map(parseGlobal);
    const bad = globals.indexOf(undefined);
    if (bad >= 0)
      return { accepted: false, reason: `-global ${config.globals[bad] ?? ''}: not DRIVER.PROPERTY=VALUE` };
    const host = hostOptions(config, argument.value);
    if (!host.accepted) return host;
    const machine = host.value.confidential ? confidentialMachine(argument.value) : argument.value;
    const realized = realizeAll(config, machine, globals as GlobalOption[]);
    if (!realized.accepted) return realized;
    const warnings = [...argument.warnings, ...realized.warnings];
    const value = new Machine(config, machine, realized.value, host.value, options);
    return { accepted: true, value, warnings };
  }

  private constructor(
    config: MachineConfig,
    argument: MachineArgument,
    devices: readonly RealizedDevice[],
    host: HostOptions,
    options: MachineOptions,
  ) {
    this.config = config;
    this.#behaviour = options.behaviour ?? behaviourOf(config.behaviour);
    this.#argument = argument;
    const heard = options.diagnostics ?? SILENT;
    this.#diagnostics = {
      listening: heard.listening,
      say: (line) => heard.say(line),
      ended: (how, why) => {
        heard.ended(how, why);
        this.#ended(how, why);
      },
    };
    this.#randomWord = options.randomWord ?? NO_RANDOM;
    this.#treeChance = Rng.stream(config.seed, 'device-tree');
    this.migrationBlocker = host.confidential ? PEF_BLOCKER : undefined;
    this.memory = ramFor(config, host, options.memory);
    this.system = new AddressSpace(this.#diagnostics);
    this.#line = new TapLine(this.queue);
    this.#globals = config.globals.flatMap((text) => parseGlobal(text) ?? []);
    this.#monitor = this.#monitorHost();
    this.platform = new EmulatedPlatform(this.memory, this, this.#line);
    this.#loaded = options.loaded;
    this.papr = new Papr(this.#environment(), options.firmware);
    this.secureSide = this.#makeSecureSide(host);
    this.ends = new HostEnds(
      config,
      this.queue,
      {
        sent: (port, bytes) => {
          this.#hostOutput(port, bytes, bytes.length);
        },
        report: (event, data) => {
          report(this.#monitor, event, data);
        },
      },
      argument.others.get('memory-backend'),
      options.entropy,
    );
    const functions: VirtioPciFunction[] = [];
    for (const device of devices) {
      const made = this.#makeFunction(device);
      if (device.id !== undefined) this.#coresById.set(device.id, made.device as VirtioCore);
      functions.push(made);
      this.bridge.plug(made);
    }
    this.functions = functions;
    this.#start();
  }

  get bridge(): HostBridge {
    return this.papr.hostBridge;
  }

  get deviceTree(): Uint8Array {
    return this.#tree;
  }

  get timebase(): number {
    return this.queue.now;
  }

  /** Shows every event from now on to `tap`; undefined shows them to nobody, and costs nothing. */
  setTap(tap: Tap | undefined): void {
    this.#line.tap = tap;
  }

  /**
   * What the host hands in: keys at CONSOLE_PORT, a frame at the port of a netdev, bytes at that of a chardev, a word of
   * NET_ORDERS behind it at a netdev's port plus NET_ORDER_PORTS, a QMP command at MONITOR_PORT. Other ports swallow it.
   */
  hostInput(port: number, bytes: Uint8Array): void {
    const event = this.#line.open(KIND['host-input']);
    if (event !== undefined) {
      event.small(0, port);
      event.carry(bytes, 0, bytes.length);
      this.#line.send();
    }
    if (port === CONSOLE_PORT) this.papr.consoleInput(0, bytes);
    else if (port === MONITOR_PORT) execute(this.#monitor, bytes);
    else this.ends.receive(port, bytes);
  }

  /** Lets `choose` decide among entries that are due at one moment; each choice is an event. */
  chooseWith(choose: ((count: number) => number) | undefined): void {
    if (choose === undefined) {
      this.queue.chooseWith(undefined);
      return;
    }
    this.queue.chooseWith((count) => {
      const picked = choose(count);
      const event = this.#line.open(KIND['choice']);
      if (event !== undefined) {
        event.small(0, count);
        event.small(1, picked);
        this.#line.send();
      }
      return picked;
    });
  }

  /** A machine reset, as `system_reset` or RTAS system-reboot cause it: RAM keeps its content. */
  reset(): void {
    if (this.#line.open(KIND['machine-reset']) !== undefined) this.#line.send();
    this.#start();
  }

  snapshot(): MachineSnapshot {
    const saver = new StateSaver();
    this.exchange(saver);
    return {
      memory: this.memory.snapshot(),
      partition: this.papr.snapshot(),
      disks: this.ends.disks.map((disk) => disk.snapshot()),
      secure: this.secureSide?.snapshot(),
      state: saver.finish(),
      tree: this.#tree,
    };
  }

  restore(snapshot: MachineSnapshot): void {
    this.memory.restore(snapshot.memory);
    this.papr.restore(snapshot.partition);
    for (const [index, disk] of this.ends.disks.entries()) {
      const pages = snapshot.disks[index];
      if (pages !== undefined) disk.restore(pages);
    }
    if (snapshot.secure !== undefined) this.secureSide?.restore(snapshot.secure);
    const loader = new StateLoader(snapshot.state);
    this.#restoring = true;
    this.exchange(loader);
    this.#restoring = false;
    loader.done();
    this.#tree = snapshot.tree;
  }

  /** 32 hexadecimal digits over the whole state: RAM, tables, disks, registers, time and what is due. */
  digest(): string {
    const into = new Digest();
    this.exchange(new StateHasher(into));
    into.bytes(this.#tree);
    this.memory.digest(into);
    this.papr.digest(into);
    for (const disk of this.ends.disks) disk.digest(into);
    this.secureSide?.digest(into);
    return into.hex();
  }

  exchange(state: StateStream): void {
    this.queue.exchange(state);
    this.papr.exchange(state);
    this.#bounce.exchange(state);
    this.ends.exchange(state);
    for (const made of this.functions) made.exchange(state);
    this.#treeChance.exchange(state);
    this.secureSide?.exchange(state);
    // What a call left in r3 … r12 is what the next one enters with.
    const { registers } = this.platform;
    for (let i = 0; i < registers.length; i++) registers[i] = state.u64(registers[i] ?? 0n);
    const requested = state.u8(this.requested === undefined ? 0 : REQUESTS.indexOf(this.requested) + 1);
    this.requested = requested === 0 ? undefined : REQUESTS[requested - 1];
    this.ending = ENDINGS[state.u8(ENDINGS.indexOf(this.ending))];
  }

  // --- What the guest's platform asks ---------------------------------------------------------------------------

  hypercall(registers: BigUint64Array): void {
    const { acting, cpu } = this.papr.partition;
    if (this.secureSide === undefined) this.papr.hcall(registers, cpu.msr, acting);
    else this.secureSide.hypercall(registers, cpu.msr);
  }

  ultracall(registers: BigUint64Array): boolean {
    this.secureSide?.ultravisor.guestUcall(registers);
    return this.secureSide !== undefined;
  }

  get msr(): bigint {
    const { msr } = this.papr.partition.cpu;
    return this.secureSide?.secure === true ? msr | MSR_S : msr & ~MSR_S;
  }

  get entry(): bigint | undefined {
    return this.secureSide?.ultravisor.entryOf(this.papr.partition.acting)?.address;
  }

  get halted(): string | undefined {
    return this.secureSide?.ultravisor.halt;
  }

  systemRead(address: number, width: 1 | 2 | 4, bigEndian: boolean): number {
    if (this.secureSide?.secure === true) return Number(this.secureSide.load(address, width, bigEndian));
    return this.system.read(address, width, bigEndian);
  }

  systemWrite(address: number, width: 1 | 2 | 4, value: number, bigEndian: boolean): void {
    if (this.secureSide?.secure === true) this.secureSide.store(address, width, BigInt(value), bigEndian);
    else this.system.write(address, width, value, bigEndian);
  }

  systemRead64(address: number, bigEndian: boolean): bigint {
    if (this.secureSide?.secure === true) return this.secureSide.load(address, 8, bigEndian);
    return this.system.read64(address, bigEndian);
  }

  systemWrite64(address: number, value: bigint, bigEndian: boolean): void {
    if (this.secureSide?.secure === true) this.secureSide.store(address, 8, value, bigEndian);
    else this.system.write64(address, value, bigEndian);
  }

  portOf(address: number): number | undefined {
    return this.bridge.portOf(address);
  }

  setCpu(cpu: number, msr: bigint): void {
    this.papr.setCpu(cpu, msr);
  }

  interruptPending(): boolean {
    return this.papr.interruptPending(this.papr.partition.acting);
  }

  advance(span: number): void {
    this.queue.advance(ticks(span));
  }

  idle(): void {
    // A device that schedules itself for ever would never let its guest go on.
    for (let turns = 0; turns < IDLE_TURNS_MAX; turns++) {
      if (!this.queue.step()) return;
    }
  }

  // --- For replay without a guest -------------------------------------------------------------------------------

  cpuAddressOfPort(port: bigint): bigint {
    return BigInt(this.bridge.io.cpu - this.bridge.io.bus) + port;
  }

  /** Where in RAM a device's access to the address of these halves leads now; undefined if nowhere. */
  busToRam(requester: number, high: number, low: number): number | undefined {
    return this.#core(requester)?.space.ramAt(high, low);
  }

  #core(requester: number): VirtioCore | undefined {
    const { functions } = this;
    for (let i = 0; i < functions.length; i++) {
      if (functions[i]?.devfn === (requester & 0xff)) return this.#cores[i];
    }
    return undefined;
  }

  // --- Making -----------------------------------------------------------------------------------------------------

  #start(): void {
    this.requested = undefined;
    this.ending = undefined;
    this.queue.clear();
    this.secureSide?.reset();
    this.papr.reset();
    for (const made of this.functions) made.reset();
    this.ends.machineReset();
    this.#tree = this.#buildTree(undefined);
    this.papr.handOver(this.#tree);
  }

  #makeSecureSide({ secure }: HostOptions): SecureSide | undefined {
    const { memory, papr } = this;
    if (secure === undefined || !(memory instanceof HostRam)) return undefined;
    const side = new SecureSide({
      ram: memory,
      cpus: this.config.cpus,
      seed: this.config.seed,
      options: secure,
      line: this.#line,
      diagnostics: this.#diagnostics,
      msr: () => papr.partition.cpu.msr,
      setMsr: (msr) => papr.setCpu(papr.partition.acting, msr),
      acting: () => papr.partition.acting,
      radix: () => papr.partition.radix,
      hcall: (registers) => papr.hcall(registers, papr.partition.cpu.msr, papr.partition.acting),
      fatal: () => {
        this.requested = 'fatal';
      },
    });
    this.platform.seeThrough(side.view);
    return side;
  }

  #buildTree(negotiated: Negotiated | undefined): Uint8Array {
    const { partition } = this.papr;
    return buildDeviceTree(
      treeInputs(
        partition.options,
        this.#argument,
        this.bridge,
        partition.vio.devices,
        this.#treeChance,
        negotiated,
        this.#randomWord !== NO_RANDOM,
        this.#loaded,
      ),
    );
  }

  #makeFunction(device: RealizedDevice): VirtioPciFunction {
    const requester = device.settings.devfn;
    return new VirtioPciFunction(
      device.settings,
      this.bridge,
      (transport) => {
        const parts = {
          events: this.queue,
          diagnostics: this.#diagnostics,
          useStarted: device.values.flag('use-started'),
          ioeventfd: device.values.flag('ioeventfd'),
          behaviour: this.#behaviour,
        };
        const core = makeDevice(device, parts, this.ends);
        this.ends.connect(device.values.text('netdev'), core);
        const bridge = this.bridge;
        const master = {
          get busMaster(): boolean {
            return bridge.functionAt(requester << 8)?.busMaster ?? false;
          },
        };
        const space = new DmaSpace({
          memory: this.memory,
          system: this.system,
          bounce: this.#bounce,
          diagnostics: this.#diagnostics,
          line: this.#line,
          requester,
          bus: device.iommuPlatform ? { space: bridge, function: master } : undefined,
          onFault: () => core.dmaFaulted(),
        });
        core.plug(transport, space);
        this.#cores.push(core);
        return core;
      },
      this.#diagnostics,
    );
  }

  #monitorHost(): MonitorHost {
    return {
      now: () => this.queue.now,
      cores: this.#cores,
      core: (id) => this.#coresById.get(id),
      charEnd: (id) => this.ends.char(id),
      disk: (id) => this.ends.disk(id),
      plug: (argument) => this.#plug(argument),
      tell: (text) => {
        const bytes = new TextEncoder().encode(text);
        this.#hostOutput(MONITOR_PORT, bytes, bytes.length);
      },
    };
  }

  /** `device_add` while the machine runs: what rides on a bus that a device has opened. */
  #plug(argument: string): Verdict<unknown> {
    if (isScsiDisk(argument)) return this.#plugDisk(argument);
    if (!isSerialPort(argument)) {
      return {
        accepted: false,
        reason: `'${argument.split(',')[0] ?? ''}' cannot be plugged into a running machine`,
      };
    }
    const buses = this.#cores.filter((core): core is SerialDevice => core instanceof SerialDevice);
    const verdict = realizePort(argument, {
      buses: buses.map((bus) => ({ name: bus.busName, maxPorts: bus.maxPorts, ports: bus.ports })),
      globals: this.#globals,
      backends: backendLookup(this.config),
      taken: (id) =>
        this.#coresById.has(id) || buses.some((bus) => bus.ports.some(({ deviceId }) => deviceId === id)),
    });
    if (verdict.accepted) buses[verdict.value.bus]?.plugPort(verdict.value.settings);
    return verdict;
  }

  /** Disks are known from the start, so that a snapshot can say which are there; one that was taken away comes back. */
  #plugDisk(argument: string): Verdict<unknown> {
    const id = new Map(parseOptions(argument).options).get('id') ?? '';
    const back = this.#cores.some((core) => core instanceof ScsiDevice && core.attach(id));
    if (back) return { accepted: true, value: id, warnings: [] };
    return { accepted: false, reason: `only a disk that was taken away can be added, and '${id}' was not` };
  }

  #environment(): PaprEnvironment {
    const line = this.#line;
    return {
      options: paprOptions(this.config, this.#argument),
      queue: this.queue,
      diagnostics: this.#diagnostics,
      system: this.system,
      hypervisorRead: (address, into, at, length) => {
        this.memory.read(address, into, at, length);
        this.#hypervisorAccess(KIND['hypervisor-read'], address, into, at, length);
      },
      hypervisorWrite: (address, from, at, length) => {
        this.memory.write(address, from, at, length);
        this.#hypervisorAccess(KIND['hypervisor-write'], address, from, at, length);
      },
      peek: (address, into, at, length) => this.memory.read(address, into, at, length),
      poke: (address, from, at, length) => this.memory.write(address, from, at, length),
      strayMessage: (_phb, devfn, address, data) => {
        this.#strayMessage(devfn, address, data);
      },
      mapsChanged: () => {
        // A restored machine's rings are where its snapshot says.
        if (this.#restoring) return;
        for (const core of this.#cores) core.memoryChanged();
      },
      interrupt: (source, level) => {
        const event = line.open(KIND['interrupt']);
        if (event === undefined) return;
        event.small(0, source);
        event.small(1, level);
        line.send();
      },
      cpuInterrupt: (server, asserted) => {
        const event = line.open(KIND['cpu-interrupt']);
        if (event === undefined) return;
        event.small(0, server);
        event.small(1, asserted ? 1 : 0);
        line.send();
      },
      consoleOutput: (port, bytes, length) => {
        if (port === CONSOLE_PORT) this.#hostOutput(CONSOLE_PORT, bytes, length);
      },
      request: (kind) => {
        this.requested = kind;
      },
      startCpu: (cpu, _address, argument) => {
        if (this.secureSide?.secure === true) this.secureSide.ultravisor.startCpu(cpu, Number(argument));
      },
      systemReset: () => undefined,
      randomWord: this.#randomWord,
      buildTree: (negotiated, room) => {
        const tree = this.#buildTree(negotiated);
        return tree.length <= room ? tree : undefined;
      },
      rtasCalled: (token, nargs, nret, args, count) => {
        const event = line.open(KIND['rtas']);
        if (event === undefined) return;
        event.small(0, token);
        event.small(1, nargs);
        event.small(2, nret);
        this.#carryWords(event, 3, args, count);
        line.send();
      },
      rtasReturned: (rets, count) => {
        const event = line.open(KIND['rtas-return']);
        if (event === undefined) return;
        event.small(0, count);
        this.#carryWords(event, 1, rets, count);
        line.send();
      },
    };
  }

  /** Eight words in fields from `first` on, the rest big-endian in the bytes. */
  #carryWords(event: MachineEvent, first: number, words: Uint32Array, count: number): void {
    for (let i = 0; i < WORDS_IN_FIELDS; i++) event.small(first + i, i < count ? (words[i] ?? 0) : 0);
    if (count <= WORDS_IN_FIELDS) return;
    const rest = new DataView(new ArrayBuffer(4 * (count - WORDS_IN_FIELDS)));
    for (let i = WORDS_IN_FIELDS; i < count; i++) rest.setUint32(4 * (i - WORDS_IN_FIELDS), words[i] ?? 0);
    event.carry(new Uint8Array(rest.buffer), 0, rest.byteLength);
  }

  #hypervisorAccess(kind: number, address: number, bytes: Uint8Array, at: number, length: number): void {
    const event = this.#line.open(kind);
    if (event === undefined) return;
    event.words[0] = address % 2 ** 32;
    event.words[1] = Math.floor(address / 2 ** 32);
    event.carry(bytes, at, length);
    this.#line.send();
  }

  /** A message whose address no MSI window claims is a plain write of four bytes. */
  #strayMessage(devfn: number, address: bigint, data: number): void {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, data, true);
    this.#core(devfn)?.space.write(address, bytes, 0, 4);
  }

  #ended(how: Ending, why: string): void {
    this.ending ??= how;
    const event = this.#line.open(KIND.ending);
    if (event === undefined) return;
    const text = Uint8Array.from(why, (letter) => letter.charCodeAt(0));
    event.small(0, ENDINGS.indexOf(how));
    event.carry(text, 0, text.length);
    this.#line.send();
  }

  #hostOutput(port: number, bytes: Uint8Array, length: number): void {
    const event = this.#line.open(KIND['host-output']);
    if (event === undefined) return;
    event.small(0, port);
    event.carry(bytes, 0, length);
    this.#line.send();
  }
}

/** What of a machine is not in its configuration, because a recording's header cannot carry it. */
export interface MachineOptions {
  /** Deviations one by one, in place of those that the configuration names: to see what one of them does. */
  readonly behaviour?: Behaviour;
  /** RAM to use instead of fresh one: of the size that the configuration says, and all zero. */
  readonly memory?: PagedMemory;
  readonly diagnostics?: Diagnostics;
  /** Gives the machine a `spapr-rng` with these words: H_RANDOM answers. */
  readonly randomWord?: () => bigint | undefined;
  /** The machine is its guest's firmware, and has loaded a kernel. */
  readonly firmware?: ClientInterface;
  readonly loaded?: TreeLoaded;
  /** What entropy devices give, by back end: for whoever holds the machine against another one. */
  readonly entropy?: (id: string) => EntropySource;
}

/** RAM that was handed in serves, unless the host may hide frames of it and it cannot. */
function ramFor(config: MachineConfig, { secure }: HostOptions, given: PagedMemory | undefined): PagedMemory {
  if (secure === undefined) return given ?? new PagedMemory(config.ramBytes);
  return given instanceof HostRam ? given : new HostRam(config.ramBytes);
}

/** machine_run_board_init: with confidential-guest-support, defaults that rank above the machine version's. */
function confidentialMachine(argument: MachineArgument): MachineArgument {
  const compat = [
    ...argument.type.compat,
    { type: 'virtio-pci', property: 'disable-legacy', value: 'on', optional: true },
    { type: 'virtio-device', property: 'iommu_platform', value: 'on' },
  ];
  return { ...argument, type: { ...argument.type, compat } };
}

const NO_RANDOM = (): undefined => undefined;
/** By the number that says so in events and states. */
const ENDINGS: readonly (Ending | undefined)[] = [undefined, 'abort', 'hang'];
const REQUESTS: readonly MachineRequest[] = ['power-off', 'reset', 'guest-panicked', 'suspend', 'fatal'];
const WORDS_IN_FIELDS = 8;
/** Entries that one wait runs at most: a hundred times what a full ring of requests schedules. */
const IDLE_TURNS_MAX = 100_000;

function realizeAll(
  config: MachineConfig,
  machine: MachineArgument,
  globals: readonly GlobalOption[],
): Verdict<readonly RealizedDevice[]> {
  const twice = duplicateId(config.devices);
  if (twice !== undefined) return twice;
  const queues = new Map(
    config.backends.map((backend) => [backend.id, backend.kind === 'net' ? (backend.queues ?? 1) : 1]),
  );
  const taken = new Map<number, string>();
  const devices: RealizedDevice[] = [];
  const warnings: string[] = [];
  const backends = backendLookup(config);
  for (const argument of config.devices) {
    const rider = realizeRider(argument, devices, globals, backends);
    if (rider !== undefined) {
      if (!rider.accepted) return refusedDevice(argument, rider);
      continue;
    }
    const made = realizeDevice(argument, {
      machine: machine.type,
      cpus: config.cpus,
      globals,
      backends,
      netQueues: (id) => queues.get(id) ?? 1,
      slot: 'conventional',
      taken,
      unnamedBuses: (type) =>
        devices.filter(({ id, ...device }) => id === undefined && busTypes(device).includes(type)).length,
      otherBuses: new Map(
        devices.flatMap((device) => [
          ...(device.scsiBus === undefined ? [] : [[device.scsiBus.name, 'SCSI'] as const]),
          ...(device.serialBus === undefined ? [] : [[device.serialBus.name, SERIAL_BUS] as const]),
        ]),
      ),
      present: new Set(devices.map((device) => device.family.name)),
    });
    if (!made.accepted) return refusedDevice(argument, made);
    taken.set(made.value.settings.devfn, made.value.typeName);
    for (const warning of made.warnings) warnings.push(`-device ${argument}: ${warning}`);
    devices.push(made.value);
  }
  return { accepted: true, value: devices, warnings };
}

function busTypes({ scsiBus, serialBus }: Pick<RealizedDevice, 'scsiBus' | 'serialBus'>): readonly string[] {
  return [...(scsiBus === undefined ? [] : ['scsi']), ...(serialBus === undefined ? [] : [SERIAL_BUS])];
}

/** Puts what rides on the bus of another device there; undefined for a device that is none. */
function realizeRider(
  argument: string,
  devices: readonly RealizedDevice[],
  globals: readonly GlobalOption[],
  backends: BackendLookup,
): Verdict<unknown> | undefined {
  if (isScsiDisk(argument)) {
    const buses = devices.flatMap(({ scsiBus }) => scsiBus ?? []);
    return realizeScsiDisk(argument, buses, globals, backends);
  }
  if (!isSerialPort(argument)) return undefined;
  const buses = devices.flatMap(({ serialBus }) => serialBus ?? []);
  const port = realizePort(argument, { buses, globals, backends, taken: () => false });
  if (port.accepted) buses[port.value.bus]?.ports.push(port.value.settings);
  return port;
}

/** QEMU's option parser looks at the ids of all devices before it makes the first. */
function duplicateId(devices: readonly string[]): Verdict<never> | undefined {
  const ids = new Set<string>();
  for (const argument of devices) {
    const id = new Map(parseOptions(argument).options).get('id');
    if (id === undefined) continue;
    if (ids.has(id)) return refusedDevice(argument, { reason: `Duplicate ID '${id}' for device` });
    ids.add(id);
  }
  return undefined;
}

function refusedDevice(
  argument: string,
  { reason, hint }: { readonly reason: string; readonly hint?: string },
): Verdict<never> & { readonly accepted: false } {
  const told = `-device ${argument}: ${reason}`;
  return hint === undefined ? { accepted: false, reason: told } : { accepted: false, reason: told, hint };
}

function backendLookup(config: MachineConfig): BackendLookup {
  const kinds = new Map(config.backends.map((backend) => [backend.id, backend.kind]));
  return (kind, id) => kinds.has(id) && BACKEND_OF[kind] === kinds.get(id);
}

/** Which back end a device's reference names: by the property's kind, a link's by its name. */
const BACKEND_OF: Readonly<Record<string, string>> = {
  drive: 'disk',
  netdev: 'net',
  chardev: 'chardev',
  rng: 'entropy',
  cryptodev: 'crypto',
  iothread: 'iothread',
};
