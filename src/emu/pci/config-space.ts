import { assert } from '../core/assert.ts';
import type { Stateful, StateStream } from '../core/state.ts';
import {
  PCI_CACHE_LINE_SIZE,
  PCI_CAPABILITY_LIST,
  PCI_COMMAND,
  PCI_COMMAND_INTX_DISABLE,
  PCI_COMMAND_IO,
  PCI_COMMAND_MASTER,
  PCI_COMMAND_MEMORY,
  PCI_COMMAND_SERR,
  PCI_CONFIG_HEADER_SIZE,
  PCI_CONFIG_SPACE_SIZE,
  PCI_INTERRUPT_LINE,
  PCI_STATUS,
  PCI_STATUS_CAP_LIST,
  PCI_STATUS_ERRORS,
} from './abi.ts';

const WRITABLE_COMMAND =
  PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE;

/**
 * Configuration space as bytes with a write mask each: which bits a write changes, which ones it clears (hw/pci/pci.c).
 * Behind the header every byte that no capability claims is plain storage.
 */
export class ConfigSpace implements Stateful {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView<ArrayBuffer>;
  readonly #writable: Uint8Array<ArrayBuffer>;
  readonly #clearable: Uint8Array<ArrayBuffer>;
  /** Bytes of the first 256 that belong to a capability. */
  readonly #claimed: Uint8Array<ArrayBuffer> = new Uint8Array(PCI_CONFIG_SPACE_SIZE);

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
    this.#writable = new Uint8Array(size);
    this.#clearable = new Uint8Array(size);
    this.#writable.fill(0xff, PCI_CONFIG_HEADER_SIZE);
    this.allow(PCI_CACHE_LINE_SIZE, 1, 0xff);
    this.allow(PCI_INTERRUPT_LINE, 1, 0xff);
    this.allow(PCI_COMMAND, 2, WRITABLE_COMMAND);
    this.#clearable[PCI_STATUS + 1] = PCI_STATUS_ERRORS >> 8;
  }

  /** A driver's read: no side effects here. */
  read(offset: number, width: 1 | 2 | 4): number {
    if (width === 1) return this.#view.getUint8(offset);
    return width === 2 ? this.#view.getUint16(offset, true) : this.#view.getUint32(offset, true);
  }

  /** A driver's write, through the masks. */
  write(offset: number, width: 1 | 2 | 4, value: number): void {
    const bytes = this.bytes;
    for (let i = 0; i < width; i++) {
      const byte = (value >>> (8 * i)) & 0xff;
      const writable = this.#writable[offset + i] ?? 0;
      const kept = ((bytes[offset + i] ?? 0) & ~writable) | (byte & writable);
      bytes[offset + i] = kept & ~(byte & (this.#clearable[offset + i] ?? 0));
    }
  }

  /** The device's own write: no masks. */
  set(offset: number, width: 1 | 2 | 4, value: number): void {
    if (width === 1) this.#view.setUint8(offset, value);
    else if (width === 2) this.#view.setUint16(offset, value, true);
    else this.#view.setUint32(offset, value, true);
  }

  /** Which bits a driver may write from now on. */
  allow(offset: number, width: 1 | 2 | 4, mask: number): void {
    for (let i = 0; i < width; i++) this.#writable[offset + i] = (mask >>> (8 * i)) & 0xff;
  }

  /** Which bits a driver clears by writing ones. */
  allowClear(offset: number, width: 1 | 2 | 4, mask: number): void {
    for (let i = 0; i < width; i++) this.#clearable[offset + i] = (mask >>> (8 * i)) & 0xff;
  }

  /** Adds a capability at the head of the list, in the first space that fits; read-only until `allow`. */
  addCapability(id: number, size: number): number {
    const at = this.#findSpace(size);
    this.bytes[at] = id;
    this.bytes[at + 1] = this.bytes[PCI_CAPABILITY_LIST] ?? 0;
    this.bytes[PCI_CAPABILITY_LIST] = at;
    this.bytes[PCI_STATUS] = (this.bytes[PCI_STATUS] ?? 0) | PCI_STATUS_CAP_LIST;
    this.#claimed.fill(1, at, at + ((size + 3) & ~3));
    this.#writable.fill(0, at, at + size);
    return at;
  }

  /** What a bus reset clears in the header; capabilities and BARs are their owners' concern. */
  reset(): void {
    for (const at of [PCI_COMMAND, PCI_COMMAND + 1, PCI_STATUS, PCI_STATUS + 1, PCI_INTERRUPT_LINE]) {
      const cleared = (this.#writable[at] ?? 0) | (this.#clearable[at] ?? 0);
      this.bytes[at] = (this.bytes[at] ?? 0) & ~cleared;
    }
    this.bytes[PCI_CACHE_LINE_SIZE] = 0;
  }

  exchange(state: StateStream): void {
    state.bytes(this.bytes);
  }

  #findSpace(size: number): number {
    let at = PCI_CONFIG_HEADER_SIZE;
    for (let i = PCI_CONFIG_HEADER_SIZE; i < at + size; i++) {
      assert(i < PCI_CONFIG_SPACE_SIZE, 'the capabilities of a device fit into its configuration space');
      if (this.#claimed[i] === 1) at = i + 1;
    }
    return at;
  }
}
