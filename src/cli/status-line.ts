import { styleText } from 'node:util';

/** Where a status line goes; process.stderr is one. */
export interface StatusStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const REDRAW_MS = 100;
const PLAIN_EVERY_MS = 5000;

/**
 * Tells how long work goes: on a terminal one line that is drawn over, elsewhere a plain line every five seconds. The
 * first `show` is printed at once, so that whoever started the work sees it live.
 */
export class StatusLine {
  readonly #stream: StatusStream;
  readonly #live: boolean;
  readonly #now: () => number;
  #shownAt = -Infinity;
  #drawn = false;

  constructor(stream: StatusStream = process.stderr, now: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#live = stream.isTTY === true;
    this.#now = now;
  }

  /** Shows `text` if it is time again. */
  show(text: string): void {
    const now = this.#now();
    if (now - this.#shownAt < (this.#live ? REDRAW_MS : PLAIN_EVERY_MS)) return;
    this.#shownAt = now;
    if (!this.#live) {
      this.#stream.write(`${text}\n`);
      return;
    }
    const room = Math.max(1, (this.#stream.columns ?? 80) - 1);
    this.#stream.write(`\r\u001B[2K${text.slice(0, room)}`);
    this.#drawn = true;
  }

  /** Prints a line that stays, above the status. */
  say(text: string): void {
    this.clear();
    this.#stream.write(`${text}\n`);
  }

  /** Takes the status off the screen. */
  clear(): void {
    if (this.#drawn) this.#stream.write('\r\u001B[2K');
    this.#drawn = false;
  }
}

type Style = Parameters<typeof styleText>[0];

/** `text` in a colour where stdout shows colours and NO_COLOR does not forbid them. */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout, validateStream: true });
}
