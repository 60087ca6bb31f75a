/** What of WebAssembly's JavaScript interface the CPU uses; the ES library's types leave it to browsers. */
interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

interface WasmEngine {
  readonly Memory: new (limits: { readonly initial: number; readonly maximum: number }) => WasmMemory;
  readonly Module: new (binary: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly env: { readonly memory: WasmMemory } },
  ) => { readonly exports: Readonly<Record<string, (argument: number) => number>> };
}

declare const WebAssembly: WasmEngine;

export const engine: WasmEngine = WebAssembly;
export type { WasmMemory };
