/**
 * Where the machine says what QEMU would print on stderr or in its guest-error log: `virtio_error` texts and accesses
 * that nothing answered. Texts are built only when somebody listens, so a campaign pays nothing for them.
 */
export interface Diagnostics {
  readonly listening: boolean;
  /** One line, spelled as QEMU 7.2 spells it. */
  say(line: string): void;
}

export const SILENT: Diagnostics = { listening: false, say: () => undefined };

/** Keeps every line, in order. */
export class DiagnosticLog implements Diagnostics {
  readonly listening = true;
  readonly lines: string[] = [];

  say(line: string): void {
    this.lines.push(line);
  }
}
