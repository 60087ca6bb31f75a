/** How QEMU itself would have ended: on an assertion that a guest can provoke, or in a loop that it never leaves. */
export type Ending = 'abort' | 'hang';

/**
 * Where the machine says what QEMU would print on stderr or in its guest-error log: `virtio_error` texts and accesses
 * that nothing answered. Texts are built only when somebody listens, so a campaign pays nothing for them.
 */
export interface Diagnostics {
  readonly listening: boolean;
  /** One line, spelled as QEMU 7.2 spells it. */
  say(line: string): void;
  /**
   * QEMU would not have lived past this point. The machine does: the access is dropped or the device breaks, and who
   * asks is told. `why` is the assertion as QEMU words it, or what turns round without end.
   */
  ended(how: Ending, why: string): void;
}

export const SILENT: Diagnostics = { listening: false, say: () => undefined, ended: () => undefined };

/** Keeps every line, in order. */
export class DiagnosticLog implements Diagnostics {
  readonly listening = true;
  readonly lines: string[] = [];
  readonly endings: (readonly [Ending, string])[] = [];

  say(line: string): void {
    this.lines.push(line);
  }

  ended(how: Ending, why: string): void {
    this.endings.push([how, why]);
  }
}
