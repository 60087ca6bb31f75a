/**
 * Dynamic reconfiguration connectors (PAPR+ 13.5.2). QEMU lists them in the order in which a GLib hash table holds
 * their names, which no specification rules but every guest of QEMU sees; so the table is modelled, and the order is
 * the real one (GLib 2.74 glib/ghash.c; names are the connectors' indexes in hexadecimal).
 */
export interface Connector {
  readonly index: number;
  readonly name: string;
  readonly type: string;
}

export interface ConnectorCounts {
  /** CPU numbers, in the order of their making. */
  readonly cpus: readonly number[];
  readonly hostBridges: number;
  /** devfn values of the host bridge's bus. */
  readonly pciSlots: number;
}

export interface Connectors {
  readonly cpus: readonly Connector[];
  readonly hostBridges: readonly Connector[];
  readonly pciSlots: readonly Connector[];
}

const CPU_INDEX = 0x1000_0000;
const HOST_BRIDGE_INDEX = 0x2000_0000;
const PCI_INDEX = 0x4000_0000;

export function dynamicConnectors(counts: ConnectorCounts): Connectors {
  const cpus = counts.cpus.map((cpu) => ({ index: CPU_INDEX + cpu, name: `CPU ${cpu}`, type: 'CPU' }));
  const hostBridges = Array.from({ length: counts.hostBridges }, (_, bridge) => ({
    index: HOST_BRIDGE_INDEX + bridge,
    name: `PHB ${bridge}`,
    type: 'PHB',
  }));
  const pciSlots = Array.from({ length: counts.pciSlots }, (_, devfn) => ({
    index: PCI_INDEX + devfn,
    name: `C${devfn}`,
    // The type of a hot-plug slot: 28, PCI.
    type: '28',
  }));
  const table = new NameTable();
  for (const connector of [...cpus, ...hostBridges, ...pciSlots]) table.insert(connector.index.toString(16));
  const rank = new Map(table.order().map((name, position) => [Number.parseInt(name, 16), position]));
  const sorted = (connectors: readonly Connector[]): Connector[] =>
    connectors.toSorted((a, b) => (rank.get(a.index) ?? 0) - (rank.get(b.index) ?? 0));
  return { cpus: sorted(cpus), hostBridges: sorted(hostBridges), pciSlots: sorted(pciSlots) };
}

/** Largest primes below the powers of two: a table of 2^n slots hashes modulo the n-th. */
const PRIMES = [1, 2, 3, 7, 13, 31, 61, 127, 251, 509, 1021, 2039, 4093, 8191] as const;
const SHIFT_MIN = 3;

/** Open addressing with triangular probing, grown when 16/17 full to a third more than it holds. */
class NameTable {
  #shift = SHIFT_MIN;
  #slots: (string | undefined)[] = Array.from({ length: 1 << SHIFT_MIN }, () => undefined);
  #count = 0;

  insert(name: string): void {
    let slot = this.#home(name);
    for (let step = 1; this.#slots[slot] !== undefined; step++) slot = (slot + step) & this.#mask;
    this.#slots[slot] = name;
    this.#count++;
    if (this.#slots.length <= this.#count + Math.floor(this.#count / 16)) this.#grow();
  }

  order(): string[] {
    return this.#slots.filter((name) => name !== undefined);
  }

  get #mask(): number {
    return this.#slots.length - 1;
  }

  #home(name: string): number {
    const hash = (Math.imul(stringHash(name), 11) >>> 0) % (PRIMES[this.#shift] ?? 1);
    return hash & this.#mask;
  }

  /** Moves every name in place: one that finds its new home taken by an unmoved one pushes that one on. */
  #grow(): void {
    const old = this.#slots.length;
    this.#shift = Math.max(SHIFT_MIN, 32 - Math.clz32(Math.floor(this.#count * 1.333)));
    while (this.#slots.length < 1 << this.#shift) this.#slots.push(undefined);
    const moved = new Uint8Array(this.#slots.length);
    for (let i = 0; i < old; i++) {
      if (moved[i] === 1) continue;
      let name = this.#slots[i];
      this.#slots[i] = undefined;
      while (name !== undefined) {
        let slot = this.#home(name);
        for (let step = 1; moved[slot] === 1; step++) slot = (slot + step) & this.#mask;
        moved[slot] = 1;
        const evicted: string | undefined = this.#slots[slot];
        this.#slots[slot] = name;
        name = evicted;
      }
    }
  }
}

/** g_str_hash; 0 and 1 mark empty slots and are moved out of the way. */
function stringHash(text: string): number {
  let hash = 5381;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 33) + text.charCodeAt(i)) >>> 0;
  return Math.max(hash, 2);
}
