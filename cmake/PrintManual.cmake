# Has `program` print its manual pages and completions into `folder`, laid out like share/.
function(print file)
  execute_process(COMMAND ${program} ${ARGN} OUTPUT_FILE ${file} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

set(pages ${folder}/man/man1)
set(completions ${folder}/bash-completion/completions ${folder}/zsh/site-functions
                ${folder}/zsh/vendor-completions ${folder}/fish/vendor_completions.d)
file(REMOVE_RECURSE ${folder})
file(MAKE_DIRECTORY ${pages} ${completions})

print(${folder}/bash-completion/completions/paroquant completion bash)
print(${folder}/fish/vendor_completions.d/paroquant.fish completion fish)
# Where zsh looks itself, and where Debian has it look.
print(${folder}/zsh/site-functions/_paroquant completion zsh)
print(${folder}/zsh/vendor-completions/_paroquant completion zsh)

execute_process(COMMAND ${program} man --list OUTPUT_VARIABLE commands COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" commands "${commands}")
foreach(command IN LISTS commands)
  print(${pages}/paroquant-${command}.1 man ${command})
endforeach()
print(${pages}/paroquant.1 man)
