import type { EventQueue } from '../core/event-queue.ts';
import type { Stateful, StateStream } from '../core/state.ts';

const SECOND_NS = 1_000_000_000n;

/** Fields of get-time-of-day: year, month from 1, day, hour, minute, second, nanoseconds. */
export type TimeOfDay = readonly [number, number, number, number, number, number, number];

/** C's int: what arithmetic on a `struct tm` wraps to. */
function int(value: bigint): bigint {
  return BigInt.asIntN(32, value);
}

/** The guest's real-time clock (QEMU hw/ppc/spapr_rtc.c): virtual time from a configured epoch, plus an offset. */
export class RealTimeClock implements Stateful {
  readonly #queue: EventQueue;
  readonly #epochSeconds: bigint;
  #offsetNs = 0n;

  constructor(queue: EventQueue, epochSeconds: number) {
    this.#queue = queue;
    this.#epochSeconds = BigInt(epochSeconds);
  }

  read(): TimeOfDay {
    const ns = BigInt.asIntN(64, this.#hostNs() + this.#offsetNs);
    const seconds = ns / SECOND_NS;
    // The field for nanoseconds carries the low 32 bits of the whole count.
    return [...calendar(seconds), Number(BigInt.asUintN(32, ns))] as unknown as TimeOfDay;
  }

  /**
   * Sets the clock from the calendar fields as a guest gave them, 32 bits each. There is no check of the date: the
   * sum is computed as QEMU's mktimegm does. False for the one sum that it takes for an error, -1.
   */
  set(year: number, month: number, day: number, hour: number, minute: number, second: number): boolean {
    const seconds = secondsOf(year, month, day, hour, minute, second);
    if (seconds === -1n) return false;
    this.#offsetNs = BigInt.asIntN(64, seconds * SECOND_NS - this.#hostNs());
    return true;
  }

  exchange(state: StateStream): void {
    this.#offsetNs = BigInt.asIntN(64, state.u64(BigInt.asUintN(64, this.#offsetNs)));
  }

  #hostNs(): bigint {
    // 512 MHz: 125 / 64 ns a tick.
    return this.#epochSeconds * SECOND_NS + (BigInt(this.#queue.now) * 125n) / 64n;
  }
}

function secondsOf(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): bigint {
  let y = int(BigInt(year));
  let m = int(BigInt(month));
  if (m < 3n) {
    m = int(m + 12n);
    y = int(y - 1n);
  }
  const days = int(
    int(BigInt(day)) + int(153n * m - 457n) / 5n + int(365n * y) + y / 4n - y / 100n + y / 400n - 719_469n,
  );
  const time = int(3600n * int(BigInt(hour)) + 60n * int(BigInt(minute)) + int(BigInt(second)));
  return BigInt.asIntN(64, 86_400n * days + time);
}

/** Year, month, day, hour, minute, second in UTC (days to civil date, proleptic Gregorian). */
function calendar(seconds: bigint): [number, number, number, number, number, number] {
  const daySeconds = Number(((seconds % 86_400n) + 86_400n) % 86_400n);
  const days = Number((seconds - BigInt(daySeconds)) / 86_400n) + 719_468;
  const era = Math.floor(days / 146_097);
  const dayOfEra = days - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1;
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return [year, month, day, Math.floor(daySeconds / 3600), Math.floor(daySeconds / 60) % 60, daySeconds % 60];
}
