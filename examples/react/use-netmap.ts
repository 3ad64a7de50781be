// A hook that follows the saved network map. It returns undefined until that is known, and null if there is none:
//
//   const netmap = useNetmap('network');

import { NetmapCacheError, openCache, type Netmap } from 'netmapcache';
import { useEffect, useState } from 'react';

export function useNetmap(database: string): Netmap | null | undefined {
  const [netmap, setNetmap] = useState<Netmap | null>();
  const [failure, setFailure] = useState<unknown>();
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const fail = (err: unknown) => signal.aborted || setFailure(() => err);
    const opening = openCache({ database, signal });
    opening.then(async (cache) => {
      const show = async () => {
        try {
          setNetmap(await cache.load({ signal }));
        } catch (err) {
          if (!(err instanceof NetmapCacheError) || err.code !== 'not-available') throw err;
          setNetmap(null);
        }
      };
      cache.subscribe(() => void show().catch(fail), { signal });
      await show();
    }).catch(fail);
    return () => {
      controller.abort();
      opening.then((cache) => cache.close(), () => {});
    };
  }, [database]);
  if (failure) throw failure; // for the next error boundary
  return netmap;
}
