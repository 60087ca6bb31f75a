import { engine, type WasmMemory } from './engine.ts';
import { RAM_AT } from './layout.ts';

const WASM_PAGE = 65_536;

/** What the processor needs of guest RAM besides its bytes, which it shares (memory/guest-memory.ts). */
export interface WatchedMemory {
  readonly size: number;
  /** Counts a page as touched before the processor writes to it by itself. */
  touchPage(page: number): void;
  /** Asks to be told of the next change of a page. */
  guard(page: number): void;
  watch(watcher: { guardedWritten(page: number): void; baselined(): void }): void;
}

/** The memory that a processor and RAM of this size share: everything at once, for it may not grow later. */
export function sharedMemory(ramBytes: number): WasmMemory {
  const pages = Math.ceil((RAM_AT + ramBytes) / WASM_PAGE);
  return new engine.Memory({ initial: pages, maximum: pages });
}
