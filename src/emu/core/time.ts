declare const instant: unique symbol;
declare const duration: unique symbol;

/** A moment on the virtual clock: timebase ticks since the machine was made. Exact below 2^53 ticks (203 days). */
export type Instant = number & { readonly [instant]: true };

/** A span of virtual time in timebase ticks. Adding two spans is a span; a moment is never added to a moment. */
export type Duration = number & { readonly [duration]: true };

/** pseries timebase: `timebase-frequency` of every CPU node (QEMU hw/ppc/spapr.c, SPAPR_TIMEBASE_FREQ). */
export const TIMEBASE_HZ = 512_000_000;

export const START: Instant = 0 as Instant;

export function ticks(count: number): Duration {
  return count as Duration;
}

export function microseconds(count: number): Duration {
  return (count * 512) as Duration;
}

export function after(moment: Instant, span: Duration): Instant {
  return (moment + span) as Instant;
}

export function between(earlier: Instant, later: Instant): Duration {
  return (later - earlier) as Duration;
}
