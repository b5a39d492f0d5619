declare module 'catalogue:vi' {
  const catalogue: Record<string, string>;
  export default catalogue;
}
declare module '*.css';
