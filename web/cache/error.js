export class NetmapCacheError extends Error {
  constructor(code, message, options) {
    super(message, options);
    this.name = 'NetmapCacheError';
    this.code = code;
  }
}

export function closedError() {
  return new NetmapCacheError('closed', 'the cache is closed');
}
