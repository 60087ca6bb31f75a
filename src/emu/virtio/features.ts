/** Feature sets are 64-bit words whose bits the specification numbers; these say so in one place. */

/** The set of one feature. */
export function featureBit(number: number): bigint {
  return 1n << BigInt(number);
}

export function featureSet(...numbers: readonly number[]): bigint {
  let set = 0n;
  for (const number of numbers) set |= featureBit(number);
  return set;
}

export function hasFeature(features: bigint, number: number): boolean {
  return (features & featureBit(number)) !== 0n;
}
