/**
 * Papyrus as a library: a deterministic pseries machine, guests that drive it, recordings of what crossed between them,
 * and what the fuzzer is made of. Whatever is not named here may change without a word.
 */
export { Digest } from './emu/core/digest.ts';
export { DiagnosticLog, type Diagnostics } from './emu/core/diagnostics.ts';
export { EventQueue } from './emu/core/event-queue.ts';
export { Rng, RNG_ALGORITHM } from './emu/core/rng.ts';
export {
  EVENT_KINDS,
  KIND,
  type EventKind,
  type EventName,
  type MachineEvent,
  type Tap,
} from './emu/core/tap.ts';
export { TIMEBASE_HZ, type Duration, type Instant } from './emu/core/time.ts';
export type { Dma } from './emu/memory/dma.ts';
export type { PciFunction } from './emu/pci/function.ts';
export type { VirtioDevice } from './emu/virtio/device.ts';

export type { BackendConfig, DiskContent, MachineConfig, Verdict } from './emu/machine/config.ts';
export { Machine, type MachineOptions, type MachineSnapshot } from './emu/machine/machine.ts';
export { MACHINE_TYPES, type MachineType } from './emu/machine/types.ts';
export {
  MATRIX_NAMES,
  runMatrix,
  type CellResult,
  type CellVerdict,
  type MatrixCell,
  type MatrixFilter,
} from './emu/machine/matrix.ts';

export { GuestDriver, type DriverOptions, type GuestOutcome } from './emu/guest/driver.ts';
export type { GuestPlatform } from './emu/guest/platform.ts';
export { GUEST_PROFILES, type GuestProfile } from './emu/guest/profiles.ts';

export type { CaseRunner, PreparedCase } from './trace/case-runner.ts';
export type { Divergence } from './trace/divergence.ts';
export { fedMachine } from './trace/fed-machine.ts';
export { makeHeader, type Origin, type RecordingHeader } from './trace/format.ts';
export { FileSource, MemorySource, RecordingReader, type RecordingEnd } from './trace/reader.ts';
export { FileSink, MemorySink, Recorder, type RecordingTotals } from './trace/recorder.ts';
export { RecordingError } from './trace/recording-error.ts';
export { replayInputs, replayWithGuest, type ReplayOutcome } from './trace/replayer.ts';

export { chainArbitrary } from './fuzz/arbitraries/chain.ts';
export { machineConfigArbitrary } from './fuzz/arbitraries/machine-config.ts';
export { ringArbitrary } from './fuzz/arbitraries/ring.ts';
export { programArbitrary, stepArbitrary } from './fuzz/arbitraries/step.ts';
export { tceMapArbitrary } from './fuzz/arbitraries/tce-map.ts';
export type { Case, CaseMachine, Chain, Element, RingShape, Step } from './fuzz/case.ts';
export { caseRunner } from './fuzz/case-runner.ts';
export { caseText, parseCase } from './fuzz/case-text.ts';
export { Campaign, type Budget, type CampaignResult } from './fuzz/campaign.ts';
export { machineFactory } from './fuzz/factory.ts';
export type { Breach } from './fuzz/judge.ts';
export { Runner, type Outcome } from './fuzz/runner.ts';
export { QemuPlatform } from './qemu/platform.ts';
export { startQemu, type QemuOptions, type QemuProcess } from './qemu/process.ts';
export { SCENARIOS } from './fuzz/scenarios/index.ts';
export type { Scenario } from './fuzz/scenarios/scenario.ts';

// The argument of the thread: policies, rules, guests, and the matrix that they span.
export { GUEST_SYSTEMS, guestSystem, type GuestSystem, type GuestTraits } from './emu/guest/systems.ts';
export { CAPABILITIES, hardwareTies, migrate, type MigrationVerdict } from './emu/machine/capabilities.ts';
export {
  OUTCOMES,
  predictLife,
  type Fate,
  type Outcome as CellOutcome,
  type Situation,
} from './emu/machine/fate.ts';
export {
  POLICIES,
  policyNamed,
  VERSIONS,
  type DefaultRow,
  type DeviceProperties,
  type Policy,
} from './emu/machine/policies.ts';
export { construct, type Construction, type Request } from './emu/machine/prediction.ts';
export { ruleById, RULES, type ExperimentName, type Facts, type Rule } from './emu/machine/rules.ts';
export { DEVICE_MODELS, deviceModel, type DeviceModel } from './emu/machine/virtio-models.ts';
export {
  policyArbitrary,
  situationArbitrary,
  situationOfRule,
  type SituationChoice,
} from './fuzz/arbitraries/situation.ts';
export { SETTINGS, WHOLE as WHOLE_MATRIX, type Axes } from './matrix/axes.ts';
export { RuleSource, type Answer, type Built, type Source } from './matrix/cell.ts';
export { COUNTER_POLICIES, type CounterPolicy } from './matrix/counter-policies.ts';
export { DecidedSource, type Evidence } from './matrix/decided.ts';
export { matrixDocument, type MatrixDocument } from './matrix/document.ts';
export { Laboratory, type Slip } from './matrix/experiments.ts';
export { sweep, type Column, type SweepResult } from './matrix/sweep.ts';
export {
  compareTiers,
  isLoss,
  NO_CAPS,
  tierOf,
  type Tier,
  type TierAnswer,
  type TierCaps,
  type TierChange,
  type TierQuestion,
  type Witness,
} from './matrix/tiers.ts';
