;; The barest task module: no imports, no memory, one scalar task.
(module
  (func (export "square") (param $n i64) (result i64)
    (i64.mul (local.get $n) (local.get $n))))
