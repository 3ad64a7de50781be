// Vite's development server would move the module away from its WebAssembly file and worker.
export default { optimizeDeps: { exclude: ['netmapcache-client'] } };
