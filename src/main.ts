import { CommanderError } from 'commander';
import { program } from './cli/commands.ts';
import { EXIT, UsageError } from './cli/options.ts';

/** Runs one command line, without the program's name, and returns the exit status. */
export async function main(args: readonly string[]): Promise<number> {
  surviveClosedPipes();
  let status: number = EXIT.cannot;
  const papyrus = program((ended) => {
    status = ended;
  });
  try {
    if (args.length === 0) throw new UsageError('no command was named; papyrus --help lists them');
    await papyrus.parseAsync(args, { from: 'user' });
    return status;
  } catch (error) {
    return failed(error, papyrus.commands.some((command) => command.name() === args[0]) ? ` ${args[0]}` : '');
  }
}

/** `papyrus inspect … | head` ends quietly once head has read enough. */
function surviveClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit(EXIT.fine);
    });
  }
}

/** `command`: its name after a space, as a help text is asked for. */
function failed(error: unknown, command: string): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.fine;
    complain(`${asSentence(error.message)}; see papyrus${command} --help`);
    return EXIT.cannot;
  }
  if (!(error instanceof Error)) throw error;
  complain(isOurs(error) ? `a fault of Papyrus itself: ${error.stack ?? error.message}` : reasonOf(error));
  return EXIT.cannot;
}

/** Errors that only a mistake in this program raises: their stack is what a report of it needs. */
function isOurs(error: Error): boolean {
  return (
    error.name === 'AssertionError' ||
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ReferenceError
  );
}

/** Commander puts its guess at what was meant on a second line. */
function asSentence(message: string): string {
  return message
    .replace(/^error: /, '')
    .replaceAll(/\s*\n\s*/g, ' ')
    .replace(/ is invalid\. /, ' is invalid: ');
}

const FILE_TROUBLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no file or folder',
  EACCES: 'permission is denied for',
  EPERM: 'permission is denied for',
  EISDIR: 'a file is wanted, and this is a folder:',
  ENOTDIR: 'a folder is wanted in the path',
  EEXIST: 'there is already',
  ENOSPC: 'no space is left to write',
};

function reasonOf(error: NodeJS.ErrnoException): string {
  const trouble = error.code === undefined ? undefined : FILE_TROUBLE[error.code];
  if (trouble !== undefined && error.path !== undefined) return `${trouble} ${error.path}`;
  return error.code === 'EISDIR' ? 'a file is wanted, and a folder was named' : error.message;
}

function complain(sentence: string): void {
  process.stderr.write(`papyrus: ${sentence}\n`);
}
