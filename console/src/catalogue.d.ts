declare module 'catalogue:vi' {
  const catalogue: Record<string, string>;
  export default catalogue;
}
declare module 'catalogue:fields' {
  const names: string[];
  export default names;
}
declare module '*.css';
