/** A file that is not a recording, or one that was damaged: one sentence that says what is wrong with it. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
}
