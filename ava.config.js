export default {
  files: ['src/**/*.test.ts', 'scripts/**/*.test.ts'],
  extensions: ['ts'],
  require: ['./src/_setup.ts'],
  nodeArguments: ['--disable-warning=ExperimentalWarning'],
  // AVA's timeout counts from the last test that ended, and ends even a synchronous endless loop in a worker.
  timeout: '120s',
};
