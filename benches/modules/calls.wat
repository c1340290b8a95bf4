;; Calls of the host in a loop, as often as the job says: one that does next to nothing, and one that changes a
;; value.
(module
  (import "wpool" "job_size" (func $job_size (result i32)))
  (import "wpool" "value_create" (func $value_create (param i32 i32 i32 i64) (result i32)))
  (import "wpool" "value_add" (func $value_add (param i32 i64) (result i64)))
  (memory (export "memory") 1)
  (data (i32.const 0) "calls")
  (global $value (mut i32) (i32.const 0))
  ;; An `s64`, which is type 2.
  (func (export "_initialize")
    (global.set $value
      (call $value_create (i32.const 0) (i32.const 5) (i32.const 2) (i64.const 0))))
  (func (export "job_size") (param $times i32)
    (loop $again
      (drop (call $job_size))
      (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))
  (func (export "value_add") (param $times i32)
    (loop $again
      (drop (call $value_add (global.get $value) (i64.const 1)))
      (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))))
